"""The place of an agent's work in a sandbox: what it sees besides its repository, and its one way out."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from swarm_api.worker import WorkOrder
from swarm_worker.checkout import Checkout
from swarm_worker.runtimes import Place
from swarm_worker.sandbox import RELAY, Mounts, Sandbox, given, shown

CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS")


@asynccontextmanager
async def in_sandbox(place: Place, order: WorkOrder, checkout: Checkout) -> AsyncIterator[Place]:
    """The place behind walls, if the checkout has a repository for it; the way out is open until the block ends."""
    if checkout.stand_in is None or order.sandbox is None:
        yield place
        return
    mounts = (
        *checkout.stand_in.mounts, *given(place.home), *given(place.tmp), *shown(place.desk),
        *_certificates(place.env), *_programs(order),
    )  # fmt: skip
    if order.sandbox.network == "all":
        yield _behind(place, Sandbox(mounts, network=True), place.env)
        return
    from swarm_worker.sandbox_endpoint import Endpoint
    from swarm_worker.sandbox_relay import relay

    endpoint = Endpoint.of(order.upstream.base_url)
    direct = {name: value for name, value in place.env.items() if not name.lower().endswith("_proxy")}
    async with relay(place.desk.parent, endpoint) as socket:
        sandbox = Sandbox((*mounts, *shown(socket, RELAY)), port=endpoint.port_inside)
        yield _behind(place, sandbox, {**direct, **endpoint.environment()})


def _behind(place: Place, sandbox: Sandbox, env: Mapping[str, str]) -> Place:
    def command(*words: str) -> list[str]:
        return sandbox.command(place.workdir, list(words))

    return replace(place, env=env, command=command)


def _certificates(env: Mapping[str, str]) -> Mounts:
    paths = [Path(env[name]) for name in CERTIFICATES if name in env]
    return tuple(word for path in paths if path.exists() for word in shown(path))


def _programs(order: WorkOrder) -> Mounts:
    """What the runtime starts. Found without importing it, which takes most of a second."""
    spec = find_spec("claude_agent_sdk") if order.runtime == "claude" else None
    if spec is None or spec.origin is None:
        return ()
    return shown(Path(spec.origin).parent / "_bundled")
