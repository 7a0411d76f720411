"""The executors that the settings make possible: the one file that knows them by name."""

from swarm_executors.azure import AzureExecutor
from swarm_executors.azure_jobs import AzureJob
from swarm_executors.azure_tokens import Tokens
from swarm_executors.fly import FlyExecutor
from swarm_executors.fly_machines import FlyApp
from swarm_executors.local import LocalExecutor
from swarm_executors.protocol import Executor
from swarm_executors.slurm import SlurmExecutor
from swarm_executors.slurm_jobs import Cluster
from swarm_hub.executors import Executors
from swarm_hub.settings import Settings


def executors_of(settings: Settings) -> Executors:
    """`local`, and each one that has all the settings it needs."""
    known: dict[str, Executor] = {"local": LocalExecutor(settings.data_dir)}
    if settings.has("fly"):
        known["fly"] = FlyExecutor(_fly(settings))
    if settings.has("azure"):
        known["azure"] = AzureExecutor(_azure(settings), Tokens().header)
    if settings.has("slurm"):
        known["slurm"] = SlurmExecutor(_slurm(settings))
    return Executors(known)


def _azure(settings: Settings) -> AzureJob:
    return AzureJob(
        subscription=settings.azure_subscription_id or "",
        group=settings.azure_resource_group or "",
        job=settings.azure_job_name or "",
        image=settings.azure_container_image or "",
        management_url=settings.azure_management_url,
    )


def _slurm(settings: Settings) -> Cluster:
    return Cluster(
        url=settings.slurm_rest_url or "",
        version=settings.slurm_api_version,
        partition=settings.slurm_partition,
        user=settings.slurm_user,
        jwt=settings.slurm_jwt,
        worker=settings.slurm_worker,
        folder=str(settings.slurm_folder),
    )


def _fly(settings: Settings) -> FlyApp:
    return FlyApp(
        token=settings.fly_api_token or "",
        app=settings.fly_app_name or "",
        image=settings.fly_container_image or "",
        regions=(settings.fly_region, *settings.fly_fallback_regions),
        api_url=settings.fly_flaps_base_url,
        logs_url=settings.fly_logs_base_url,
    )
