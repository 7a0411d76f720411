"""The executors that the settings make possible: the one file that knows them by name."""

from swarm_executors.fly import FlyExecutor
from swarm_executors.fly_machines import FlyApp
from swarm_executors.local import LocalExecutor
from swarm_executors.protocol import Executor
from swarm_hub.executors import Executors
from swarm_hub.settings import Settings


def executors_of(settings: Settings) -> Executors:
    """`local`, and each one that has all the settings it needs."""
    known: dict[str, Executor] = {"local": LocalExecutor(settings.data_dir)}
    if settings.has("fly"):
        known["fly"] = FlyExecutor(_fly(settings))
    return Executors(known)


def _fly(settings: Settings) -> FlyApp:
    return FlyApp(
        token=settings.fly_api_token or "",
        app=settings.fly_app_name or "",
        image=settings.fly_container_image or "",
        regions=(settings.fly_region, *settings.fly_fallback_regions),
        api_url=settings.fly_flaps_base_url,
        logs_url=settings.fly_logs_base_url,
    )
