"""The server around the application: it says where it is, and ends streams when it is told to stop."""

import asyncio
import logging
import socket
import sys
from contextlib import suppress
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from swarm_api import __version__
from swarm_api.redaction import Redactor
from swarm_hub.app import build_app, open_hub
from swarm_hub.claims import running
from swarm_hub.edge.connections import Connection
from swarm_hub.identity.first_key import make_first_key
from swarm_hub.runtime_file import runtime_file
from swarm_hub.services import Hub
from swarm_hub.settings import Settings

log = logging.getLogger(__name__)
LOOK_AGAIN = 0.25  # seconds
GRACE = 3  # seconds for open requests once the hub is told to stop; streams are ended at once
EVERYWHERE = "0.0.0.0"  # noqa: S104  # nosec B104  # compared with, not listened on
PING = 20.0  # seconds between two pings of a WebSocket


async def serve(settings: Settings, listener: socket.socket, redactor: Redactor) -> None:
    """Serve on a listening socket until SIGTERM or SIGINT. Raises `DatabaseUnusable`."""
    url = _url(*listener.getsockname()[:2])
    async with open_hub(settings, url, redactor=redactor) as hub:
        await make_first_key(hub, url)
        config = server_config(build_app(hub, url))
        async with runtime_file(settings.data_dir / "hub.json", hub, url):
            await _Server(config, hub, url).serve(sockets=[listener])


def _url(host: str, port: int) -> str:
    """Where programs of this machine find it: by loopback, where nobody else hears them, if it listens everywhere."""
    name = {EVERYWHERE: "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def server_config(app: ASGIApp) -> uvicorn.Config:
    """How the application is served, wherever that is."""
    return uvicorn.Config(
        app, http=Connection, ws="websockets-sansio", ws_ping_interval=PING, ws_ping_timeout=PING,
        ws_per_message_deflate=False, ws_max_size=65_536, lifespan="off", access_log=False, log_config=None,
        server_header=False, proxy_headers=False, timeout_graceful_shutdown=GRACE,
    )  # fmt: skip


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, hub: Hub, url: str) -> None:
        super().__init__(config)
        self._hub = hub
        self._url = url
        self._loop = asyncio.get_running_loop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"claude-swarm hub {__version__} on {self._url}", file=sys.stderr, flush=True)  # noqa: T201

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn's signature
        # Not uvicorn's own: it would raise the signal again at the end, and a stop that was asked for is no failure.
        self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        """Start nothing more, and serve those that work to the deadline, or until none is left; told again: at once."""
        if self._hub.scheduler.draining or not self._hub.settings.drain_seconds:
            self._leave()
            return
        self._hub.scheduler.draining = True
        self._draining = self._loop.create_task(self._leave_when_idle())

    async def _leave_when_idle(self) -> None:
        seconds = self._hub.settings.drain_seconds
        log.info("told to stop: no agent is started any more; those that run are served for up to %d s", seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self._hub.store.read(running):  # noqa: ASYNC110  # it is no news to anybody else
                    await asyncio.sleep(LOOK_AGAIN)
        self._leave()

    def _leave(self) -> None:
        self.should_exit = True
        self._hub.close()
