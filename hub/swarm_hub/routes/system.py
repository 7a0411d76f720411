"""The hub about itself: health, provider, its description."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

from pydantic_core import to_json
from sqlalchemy import delete
from starlette.responses import HTMLResponse, Response

from swarm_api import __version__
from swarm_api.agents import Health, Provider, ProviderIn, TierOut
from swarm_api.errors import InvalidInput, NotImplementedYet, StorageFailed
from swarm_executors.protocol import TIERS, Executor
from swarm_hub.http import Call, parse, reply
from swarm_hub.prices import Prices
from swarm_hub.providers import choose_provider
from swarm_hub.reference import page
from swarm_hub.services import Hub
from swarm_hub.store import schema
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Transaction

LONGEST_LOOK = 10.0  # seconds that an executor is asked whether it is well
ROOM = 1024 * 1024  # bytes; with less left on the disk the next submission may not fit


async def health(call: Call) -> Response:
    """503 when it cannot take work: the store does not take a write, or the disk is all but full.

    Whether it answers questions is told as well, once somebody has asked one, and makes no difference.
    """
    checks = {"store": await _look_at_store(call.hub.store), "disk": _look_at_disk(call.hub.settings.data_dir)}
    others = {"analytics": found} if (found := call.hub.analytics.health) else {}
    if all(found == "ok" for found in checks.values()):
        return reply(Health(status="ok", version=__version__, checks={**checks, **others}))
    return reply(Health(status="degraded", version=__version__, checks={**checks, **others}), 503)


async def _look_at_store(store: Store) -> str:
    try:
        await store.write(_note_the_time)
    except StorageFailed as error:
        return error.detail
    return "ok"


def _note_the_time(tx: Transaction) -> None:
    """A change, small as it is: a transaction without one touches no disk."""
    tx.execute(delete(schema.hub).where(schema.hub.c.key == "looked_at"))
    tx.add(schema.hub, {"key": "looked_at", "value": str(tx.now_ms)})


def _look_at_disk(folder: Path) -> str:
    left = shutil.disk_usage(folder).free
    return "ok" if left >= ROOM else f"{left:,} bytes left"


async def live(_call: Call) -> Response:
    return reply(Health(status="ok", version=__version__, checks={}))


async def provider(call: Call) -> Response:
    return reply(await _provider(call.hub))


async def change_provider(call: Call) -> Response:
    """For new agents; those that live stay where they are."""
    chosen = parse(ProviderIn, await call.fields()).type
    hub, setting = call.hub, call.hub.settings.executor_type
    if chosen not in hub.executors.names:
        missing = ", ".join(hub.settings.missing(chosen)) or "more"
        raise InvalidInput.field("type", f"is {chosen!r}, for which this hub lacks {missing}; allowed: "
                                 + ", ".join(hub.executors.names))  # fmt: skip

    def change(tx: Transaction) -> None:
        choose_provider(tx, setting, chosen)
        call.record(tx, "provider.change", target=chosen)

    await hub.store.write(change)
    executor = hub.executors[chosen]
    hub.scheduler.place = hub.scheduler.place._replace(provider=chosen, region=executor.region)
    return reply(await _provider(hub))


async def _provider(hub: Hub) -> Provider:
    executor = hub.executors[hub.scheduler.place.provider]
    trouble = await _trouble(executor)
    where = "on this machine" if executor.name == "local" else f"at {executor.name}"
    return Provider(
        type=executor.name,
        region=executor.region,
        simulated=hub.settings.simulate,
        healthy=not trouble,
        detail=trouble or f"agents run {where} with the {hub.settings.agent_runtime} runtime",
        capacity=hub.scheduler.place.capacity,
        tiers={name: TierOut(cpus=size.cpus, memory_mb=size.memory_mb) for name, size in TIERS.items()},
        pricing=_pricing(hub.gateway.ledger.prices, executor.name),
    )


async def _trouble(executor: Executor) -> str:
    """What keeps workers from being started there; an answer that takes too long is trouble, too."""
    try:
        async with asyncio.timeout(LONGEST_LOOK):
            return await executor.ready()
    except TimeoutError:
        return f"{executor.name} does not answer within {LONGEST_LOOK:g} seconds"


def _pricing(prices: Prices, executor: str) -> dict[str, Any]:
    """What machines cost beside the model, and of which day the prices are."""
    hour = {tier: prices.machine(executor, tier, 3_600_000).micro_usd for tier in TIERS}
    return {"microUsdPerHour": hour, "dated": prices.dated.isoformat(), "source": prices.source}


async def openapi(call: Call) -> Response:
    return Response(to_json(await asyncio.to_thread(call.hub.description)), media_type="application/json")


async def docs(call: Call) -> Response:
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    document = await asyncio.to_thread(call.hub.description)
    return HTMLResponse(page(document), headers={"Content-Security-Policy": policy})


async def not_supported(call: Call) -> Response:
    raise NotImplementedYet(f"{call.request.method} {call.request.url.path} is not supported by this version")
