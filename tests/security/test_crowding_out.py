"""One address with many wrong keys at once does not keep another's new key out."""

import asyncio
import ipaddress
import threading
from pathlib import Path

import pytest

from hub.played import LIMIT, played_hub
from identity.asking import bearer, make_key
from swarm_hub.identity import keys
from swarm_hub.identity.identity import MOST_OF_ONE, MOST_WAITING
from waiting import until

PROXY = (ipaddress.ip_network("127.0.0.1"),)


@pytest.mark.parametrize("somebody", ["192.0.2.{}", "2001:db8::{:x}"], ids=["one address", "one house"])
async def test_a_burst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, somebody: str) -> None:
    matches, go = keys.matches, threading.Event()
    monkeypatch.setattr(keys, "matches", lambda *shown: go.wait(LIMIT) and matches(*shown))
    async with played_hub(tmp_path, trusted_proxies=PROXY) as hub:

        def ask(key: str, address: str) -> asyncio.Task[int]:
            told = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https", **bearer(key)}
            return asyncio.create_task(status(told))

        async def status(told: dict[str, str]) -> int:
            return (await hub.get("/api/tasks", **told)).status_code

        good = (await make_key(hub))["key"]
        same = ":" not in somebody
        burst = [
            ask(f"sk_swarm_wrong{n:03d}_{'x' * 43}", somebody.format(7 if same else n)) for n in range(2 * MOST_WAITING)
        ]
        await until(lambda: sum(asked.done() for asked in burst) == 2 * MOST_WAITING - MOST_OF_ONE)
        other = ask(good, "198.51.100.1")
        await until(lambda: len(hub.parts.identity._waiting) > MOST_OF_ONE or other.done())
        go.set()
        assert await other == 200
        await asyncio.gather(*burst)
