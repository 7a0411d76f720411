"""A guarded application that tells its caller who it thinks he is, asked from any address there is."""

from typing import Any

import httpx
from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from swarm_hub.guard import Guard
from swarm_hub.settings import Settings
from swarm_hub.values import networks

PROXY, CLIENT, STRANGER = "10.0.0.2", "203.0.113.9", "198.51.100.1"
PROXIES = networks("10.0.0.0/8, fdaa::/16")
HERE = "http://127.0.0.1:3000"


def asking(peer: str, url: str = HERE, **settings: Any) -> httpx.AsyncClient:
    """A client whose connections come from this address."""
    guard = Guard(_tell, Settings(**settings), HERE)
    return httpx.AsyncClient(transport=httpx.ASGITransport(guard, client=(peer, 40_000)), base_url=url)


async def _tell(scope: Scope, receive: Receive, send: Send) -> None:
    told = {"address": scope["client"][0], "scheme": scope["scheme"]}
    await Response(to_json(told), media_type="application/json")(scope, receive, send)
