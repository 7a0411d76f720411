"""The hub about itself: health, provider, its description."""

from pydantic_core import to_json
from starlette.responses import HTMLResponse, Response

from swarm_api import __version__
from swarm_api.agents import Health, Provider, TierOut
from swarm_api.errors import NotImplementedYet
from swarm_executors.protocol import TIERS
from swarm_hub.http import Call, reply
from swarm_hub.reference import page


async def health(call: Call) -> Response:
    """503 when it cannot take work: the store does not take a write."""
    try:
        await call.hub.store.write(lambda _tx: None)
    except Exception as error:
        return reply(Health(status="degraded", version=__version__, checks={"store": str(error)}), 503)
    return reply(Health(status="ok", version=__version__, checks={"store": "ok"}))


async def live(_call: Call) -> Response:
    return reply(Health(status="ok", version=__version__, checks={}))


async def provider(call: Call) -> Response:
    settings, executor = call.hub.settings, call.hub.executor
    shown = Provider(
        type=executor.name,
        region=executor.region,
        simulated=settings.simulate,
        healthy=True,
        detail=f"agents run on this machine with the {settings.agent_runtime} runtime",
        capacity=call.hub.scheduler.place.capacity,
        tiers={name: TierOut(cpus=size.cpus, memory_mb=size.memory_mb) for name, size in TIERS.items()},
        pricing={},
    )
    return reply(shown)


async def openapi(call: Call) -> Response:
    return Response(to_json(call.hub.description), media_type="application/json")


async def docs(call: Call) -> Response:
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    return HTMLResponse(page(call.hub.description), headers={"Content-Security-Policy": policy})


async def not_supported(call: Call) -> Response:
    raise NotImplementedYet(f"{call.request.method} {call.request.url.path} is not supported by this version")
