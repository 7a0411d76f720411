"""Making credentials as a user does, and asking with them."""

from typing import Any

import httpx

from hub.played import PlayedHub
from swarm_hub.identity.attempts import Attempts

Json = dict[str, Any]
KEYS, TOKEN, REFRESH, REVOKE = (f"/api/auth/{name}" for name in ("api-keys", "token", "refresh", "revoke"))


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


async def make_key(hub: PlayedHub, *scopes: str, by: str | None = None, **fields: Any) -> Json:
    """An API key as it is shown when it is made; by the bootstrap key when nobody else is named."""
    body = {"name": "for a test", "scopes": list(scopes) or ["tasks:read"], **fields}
    answer = await hub.post(KEYS, body, **(bearer(by) if by else {}))
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


async def exchange(hub: PlayedHub, key: str, **fields: Any) -> str:
    """A token for an API key."""
    answer = await hub.post(TOKEN, {"apiKey": key, **fields})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


async def refresh(hub: PlayedHub, token: str) -> str:
    answer = await hub.post(REFRESH, **bearer(token))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


async def end_token(hub: PlayedHub, token: str, **fields: Any) -> None:
    answer = await hub.post(REVOKE, fields, **bearer(token))
    assert answer.status_code == 204, answer.text


async def end_key(hub: PlayedHub, id_: str) -> None:
    answer = await hub.http.delete(f"{KEYS}/{id_}")
    assert answer.status_code == 204, answer.text


async def ask(hub: PlayedHub, credential: str, path: str = "/api/tasks") -> httpx.Response:
    return await hub.get(path, **bearer(credential))


async def status(hub: PlayedHub, credential: str, path: str = "/api/tasks") -> int:
    return (await ask(hub, credential, path)).status_code


def forget_limits(hub: PlayedHub) -> None:
    """As if a minute had passed: the test is about something else, and asks more often than one may."""
    hub.parts.identity.attempts = Attempts()


def pass_time(hub: PlayedHub, seconds: float) -> None:
    """Let so many seconds pass, for all that ends with time."""
    identity = hub.parts.identity
    before = identity.clock
    identity.clock = lambda: before() + seconds
