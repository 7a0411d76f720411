"""Who was refused: logged with address and prefix, counted by reason, and in no line of his own making."""

import logging
import re

import pytest

from hub.played import PlayedHub
from identity.asking import TOKEN, bearer, make_key

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(name="hub")
def _hub(rested: PlayedHub) -> PlayedHub:
    return rested


async def test_who_was_refused_is_logged_with_address_and_prefix(
    hub: PlayedHub, caplog: pytest.LogCaptureFixture
) -> None:
    await hub.get("/api/tasks", **bearer(f"sk_swarm_nobodys_{'x' * 43}"))
    assert "refused the key sk_swarm_nobodys_… from 127.0.0.1: the API key is not valid" in caplog.text


async def test_who_was_refused_is_counted_by_reason(hub: PlayedHub) -> None:
    for _ in range(3):
        await hub.get("/api/tasks", **bearer("garbage"))
    await hub.get("/api/tasks", **bearer(f"sk_swarm_nobodys_{'x' * 43}"))
    counted = (await hub.get("/api/audit")).json()["refused"]
    assert (counted["the token is not valid here"], counted["the API key is not valid"]) == (3, 1)


async def test_a_lacking_scope_is_counted_too(hub: PlayedHub) -> None:
    made = await make_key(hub, "tasks:read")
    await hub.get("/api/audit", **bearer(made["key"]))
    assert (await hub.get("/api/audit")).json()["refused"]["forbidden_scope"] == 1


async def test_a_flood_of_wrong_ones_does_not_flood_the_log(hub: PlayedHub, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(50):
        await hub.get("/api/tasks", **bearer("garbage"))
    assert caplog.text.count("refused") <= 10
    assert (await hub.get("/api/audit")).json()["refused"]["the token is not valid here"] == 50


async def test_nothing_that_is_shown_writes_a_line_of_the_log(hub: PlayedHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="swarm_hub")
    forged = "x\n2026-01-01 00:00:00 ERROR [-] swarm_hub: all is lost\r\x1b[2K\u2028"
    await hub.post(TOKEN, {"apiKey": forged})
    await hub.post(TOKEN, {"apiKey": f"sk_swarm_nobodys_{'x' * 43}", "device": "a phone\u2028all is lost"})
    await hub.http.get("/api/tasks", headers=[(b"Authorization", "Bearer \u00e9all is lost".encode("latin-1"))])
    await hub.http.get("/api/tasks", headers={"Authorization": "Bearer x", "X-Request-Id": "all is lost"})
    assert len(caplog.records) >= 3
    assert "all is lost" not in caplog.text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", "".join(r.getMessage() for r in caplog.records))
