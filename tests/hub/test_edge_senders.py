"""Whom a request comes from: what the trusted proxies say, and nobody else."""

from pathlib import Path

import httpx
import pytest

from hub.edges import CLIENT, PROXIES, PROXY, STRANGER, asking
from hub.played import played_hub
from hub.problems import assert_problem
from swarm_hub.values import networks

HTTPS = ("X-Forwarded-Proto", "https")


async def address(peer: str, *headers: tuple[str, str], proxies: bool = True) -> str:
    """Whom the application takes for the sender."""
    async with asking(peer, trusted_proxies=PROXIES if proxies else ()) as client:
        answer = await client.get("/health", headers=list(headers))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["address"])


@pytest.mark.parametrize("peer", [PROXY, "10.255.0.1", "fdaa::3", f"::ffff:{PROXY}"])
async def test_a_trusted_proxy_says_who_asks(peer: str) -> None:
    assert await address(peer, HTTPS, ("X-Forwarded-For", CLIENT)) == CLIENT


@pytest.mark.parametrize("peer", [STRANGER, "11.0.0.2", "127.0.0.1", "fdab::3", f"::ffff:{STRANGER}"])
async def test_anybody_else_says_so_in_vain(peer: str) -> None:
    said = await address(peer, HTTPS, ("X-Forwarded-For", CLIENT), ("X-Real-IP", CLIENT))
    assert said == peer.removeprefix("::ffff:")


@pytest.mark.parametrize("peer", [STRANGER, PROXY, "127.0.0.1"])
async def test_without_trusted_proxies_nobody_is_believed(peer: str) -> None:
    assert await address(peer, HTTPS, ("X-Forwarded-For", CLIENT), proxies=False) == peer


@pytest.mark.parametrize("before", ["127.0.0.1", "10.0.0.9", STRANGER, "unknown", "x" * 100, "", '"'])
async def test_what_the_client_put_before_it_changes_nothing(before: str) -> None:
    assert await address(PROXY, HTTPS, ("X-Forwarded-For", f"{before}, {CLIENT}")) == CLIENT
    assert await address(PROXY, HTTPS, ("X-Forwarded-For", before), ("X-Forwarded-For", CLIENT)) == CLIENT


async def test_proxies_behind_one_another_are_seen_through() -> None:
    assert await address(PROXY, HTTPS, ("X-Forwarded-For", f"{STRANGER}, {CLIENT}, 10.0.0.9, fdaa::1")) == CLIENT
    assert await address(PROXY, HTTPS, ("X-Forwarded-For", "10.0.0.8, 10.0.0.9")) == "10.0.0.8"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (f"{CLIENT}:4711", CLIENT), (f"  {CLIENT}\t", CLIENT), (f"::ffff:{CLIENT}", CLIENT),
        (f"[::FFFF:{CLIENT}]:80", CLIENT), ("2001:db8::9", "2001:db8::9"), ("[2001:db8::9]", "2001:db8::9"),
        ("[2001:DB8:0::9]:443", "2001:db8::9"),
    ],
)  # fmt: skip
async def test_an_address_may_be_written_in_many_ways(written: str, meant: str) -> None:
    assert await address(PROXY, HTTPS, ("X-Forwarded-For", written)) == meant


@pytest.mark.parametrize(
    "nonsense",
    ["unknown", "_hidden", "", " ", ",", "1.2.3", "203.0.113.999", "203.0.113.9.", "203.0.113.9/32", "localhost",
     "[2001:db8::9", "2001:db8::9]:80", "fe80::1%eth0", "203.0.113.9:x", "for=203.0.113.9", "203.0.113.9;x",
     "203.0.113.9" + " " * 60 + "x", "[" * 10_000, "9" * 10_000, "\xff"],
)  # fmt: skip
async def test_nonsense_is_nobody_and_the_proxy_stands_for_it(nonsense: str) -> None:
    for said in (nonsense, f"{CLIENT},{nonsense}"):
        value = said.encode("latin-1")
        async with asking(PROXY, trusted_proxies=PROXIES) as client:
            answer = await client.get("/health", headers=[(b"X-Forwarded-For", value)])
        assert answer.json()["address"] == PROXY


async def test_a_list_of_a_thousand_proxies_is_read_to_its_beginning() -> None:
    assert await address(PROXY, HTTPS, ("X-Forwarded-For", ", ".join([CLIENT, *["10.0.0.9"] * 1_000]))) == CLIENT


async def test_a_proxy_that_names_nobody_stands_for_itself() -> None:
    assert await address(PROXY, HTTPS) == PROXY
    assert await address(PROXY, HTTPS, ("Forwarded", f"for={CLIENT};proto=https")) == PROXY


async def test_attempts_are_counted_for_the_sender_and_not_for_his_proxy(tmp_path: Path) -> None:
    async with played_hub(tmp_path, trusted_proxies=networks("127.0.0.1")) as hub:

        async def attempt(sender: str) -> httpx.Response:
            wrong = {"apiKey": f"sk_swarm_{'a' * 8}_{'x' * 32}"}
            return await hub.post("/api/auth/token", wrong, **dict([HTTPS, ("X-Forwarded-For", sender)]))

        for _ in range(10):
            assert_problem(await attempt(CLIENT), 401, "not_authenticated")
        assert_problem(await attempt(CLIENT), 429, "rate_limited")
        assert_problem(await attempt(STRANGER), 401, "not_authenticated")
