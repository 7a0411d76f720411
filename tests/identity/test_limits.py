"""How often an address may try, and what it does to others: nothing."""

import asyncio
import ipaddress
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from hub.played import LIMIT, PlayedHub, played_hub
from hub.problems import assert_problem
from hubs import ADMIN_KEY
from identity.asking import KEYS, REVOKE, TOKEN, ask, bearer, exchange, make_key
from swarm_api.errors import TooManyRequests
from swarm_hub.identity import keys
from swarm_hub.identity.attempts import Attempts
from swarm_hub.identity.identity import MOST_WAITING
from waiting import until

A_MINUTE = 10  # requests
WRONG = f"sk_swarm_nobodys_{'x' * 43}"
HERE, THERE = "127.0.0.1", "127.0.0.2"


@asynccontextmanager
async def visitor(hub: PlayedHub, address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with nothing in its hands, from an address of this machine."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(base_url=hub.url, transport=transport, timeout=LIMIT) as http:
        yield http


def another_key(n: int) -> str:
    return f"sk_swarm_nobodys_{n:032}"


async def try_keys(hub: PlayedHub, count: int = A_MINUTE) -> list[int]:
    """The statuses that so many wrong keys get, one after the other."""
    return [(await ask(hub, another_key(n))).status_code for n in range(count)]


async def test_ten_requests_about_credentials_a_minute(hub: PlayedHub) -> None:
    answers = [await hub.post(TOKEN, {"apiKey": ADMIN_KEY}) for _ in range(A_MINUTE + 2)]
    assert [answer.status_code for answer in answers] == [200] * A_MINUTE + [429] * 2


async def test_who_comes_too_often_is_told_when_to_come_again(hub: PlayedHub) -> None:
    for _ in range(A_MINUTE):
        await hub.get(KEYS)
    answer = await hub.get(KEYS)
    assert_problem(answer, 429, "rate_limited")
    wait = int(answer.headers["retry-after"])
    assert 1 <= wait <= 61
    assert answer.json()["retryAfter"] == wait


async def test_all_paths_about_credentials_count_together(hub: PlayedHub) -> None:
    """For those who show nothing good."""
    for _ in range(A_MINUTE // 2):
        await hub.post(TOKEN, {"apiKey": WRONG})
        await hub.http.delete(f"{KEYS}/x", headers={"Authorization": ""})
    assert (await hub.get(KEYS, Authorization="")).status_code == 429


async def test_who_shows_a_good_credential_is_counted_for_himself(hub: PlayedHub) -> None:
    """Nobody at the same address keeps him from his keys."""
    made = await make_key(hub)
    assert (await ask(hub, made["key"])).status_code == 200
    for _ in range(A_MINUTE):
        await hub.post(TOKEN, {"apiKey": WRONG})
    assert (await hub.get(KEYS)).status_code == 200
    for _ in range(A_MINUTE):
        last = await hub.get(KEYS)
    assert last.status_code == 429
    assert (await hub.get(KEYS, **bearer(made["key"]))).status_code == 200


async def test_to_end_a_credential_is_never_too_much(hub: PlayedHub) -> None:
    made = await make_key(hub)
    token = await exchange(hub, made["key"])
    for _ in range(A_MINUTE + 1):
        await hub.get(KEYS)
        await hub.get(KEYS, **bearer(token))
    assert (await hub.post(REVOKE, {}, **bearer(token))).status_code == 204
    assert (await hub.http.delete(f"{KEYS}/{made['id']}")).status_code == 204


async def test_other_paths_go_on(hub: PlayedHub) -> None:
    for _ in range(A_MINUTE + 1):
        await hub.get(KEYS)
    assert (await hub.get("/api/tasks")).status_code == 200


async def test_another_address_has_its_own_tries(hub: PlayedHub) -> None:
    async with visitor(hub, HERE) as here, visitor(hub, THERE) as there:
        for _ in range(A_MINUTE):
            await here.post(TOKEN, json={"apiKey": WRONG})
        answers = [await http.post(TOKEN, json={"apiKey": ADMIN_KEY}) for http in (here, there)]
    assert [answer.status_code for answer in answers] == [429, 200]


async def test_nobody_says_himself_where_he_comes_from(hub: PlayedHub) -> None:
    """Without trusted proxies a forwarded address is anybody's word."""
    for n in range(A_MINUTE):
        await hub.post(TOKEN, {"apiKey": WRONG}, **{"X-Forwarded-For": f"192.0.2.{n}", "Forwarded": f"for=192.0.2.{n}"})
    answer = await hub.post(TOKEN, {"apiKey": WRONG}, **{"X-Forwarded-For": "192.0.2.99", "X-Real-Ip": "192.0.2.99"})
    assert answer.status_code == 429


async def test_a_trusted_proxy_says_who_comes(tmp_path: Path) -> None:
    proxies = (ipaddress.ip_network("127.0.0.1"),)
    async with played_hub(tmp_path, trusted_proxies=proxies) as hub:
        for _ in range(A_MINUTE + 1):
            one = await hub.post(TOKEN, {"apiKey": ADMIN_KEY}, **_from("192.0.2.1"))
        other = await hub.post(TOKEN, {"apiKey": ADMIN_KEY}, **_from("192.0.2.2"))
    assert (one.status_code, other.status_code) == (429, 200)


async def test_what_stands_before_a_trusted_proxys_word_proves_nothing(tmp_path: Path) -> None:
    proxies = (ipaddress.ip_network("127.0.0.1"),)
    async with played_hub(tmp_path, trusted_proxies=proxies) as hub:
        answers = [
            await hub.post(TOKEN, {"apiKey": ADMIN_KEY}, **_from(f"198.51.100.{n}, 192.0.2.1"))
            for n in range(A_MINUTE + 1)
        ]
    assert [answer.status_code for answer in answers][-2:] == [200, 429]


async def test_wrong_keys_are_limited_on_every_path(hub: PlayedHub) -> None:
    assert await try_keys(hub, A_MINUTE + 2) == [401] * A_MINUTE + [429] * 2


async def test_the_same_wrong_key_counts_each_time(hub: PlayedHub) -> None:
    assert [(await ask(hub, WRONG)).status_code for _ in range(A_MINUTE + 1)][-1] == 429


async def test_keys_that_were_verified_go_on_working_meanwhile(hub: PlayedHub) -> None:
    made = await make_key(hub)
    token = await exchange(hub, made["key"])
    await try_keys(hub, A_MINUTE + 1)
    assert [(await ask(hub, good)).status_code for good in (made["key"], token, ADMIN_KEY)] == [200, 200, 200]


async def test_a_key_that_nobody_has_shown_yet_waits_with_the_wrong_ones_of_its_address(hub: PlayedHub) -> None:
    """Telling it from them is what is limited; it is welcome from anywhere else."""
    made = await make_key(hub)
    await try_keys(hub, A_MINUTE + 1)
    assert (await ask(hub, made["key"])).status_code == 429
    async with visitor(hub, THERE) as there:
        assert (await there.get("/api/tasks", headers=bearer(made["key"]))).status_code == 200


async def test_right_keys_do_not_count(hub: PlayedHub) -> None:
    made = await make_key(hub)
    assert {(await ask(hub, made["key"])).status_code for _ in range(3 * A_MINUTE)} == {200}


async def test_tries_at_the_same_time_count_too(hub: PlayedHub) -> None:
    answers = await asyncio.gather(*[ask(hub, another_key(n)) for n in range(3 * A_MINUTE)])
    assert sorted(answer.status_code for answer in answers) == [401] * A_MINUTE + [429] * 2 * A_MINUTE


async def test_wrong_keys_from_everywhere_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No address comes too often, but all of them together keep the one who checks busy for long."""
    go = threading.Event()
    monkeypatch.setattr(keys, "matches", lambda *_: not go.wait(LIMIT))
    async with played_hub(tmp_path, trusted_proxies=(ipaddress.ip_network("127.0.0.1"),)) as hub:
        crowd = [
            asyncio.create_task(hub.get("/api/tasks", **bearer(another_key(n)), **_from(f"192.0.2.{n}")))
            for n in range(2 * MOST_WAITING)
        ]
        await until(lambda: sum(asked.done() for asked in crowd) == MOST_WAITING)
        late = [asked.result() for asked in crowd if asked.done()]
        assert (await hub.get("/api/tasks", **_from("192.0.2.1"))).status_code == 200
        go.set()
        assert sum(answer.status_code == 401 for answer in await asyncio.gather(*crowd)) == MOST_WAITING
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in late} == {(429, "5")}


async def test_a_crowd_with_one_key_is_one(hub: PlayedHub) -> None:
    """All who follow come again at once when the hub was restarted."""
    made = await make_key(hub)
    answers = await asyncio.gather(*[ask(hub, made["key"]) for _ in range(2 * MOST_WAITING)])
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::1", "::1", True),
        ("unknown", "unknown", True),
    ],
)
def test_a_house_is_one_address(one: str, other: str, together: bool) -> None:
    """Whoever has an IPv6 address has 2^64 of them."""
    attempts = Attempts()
    for _ in range(A_MINUTE):
        attempts.enter(one)
    if together:
        with pytest.raises(TooManyRequests):
            attempts.enter(other)
    else:
        attempts.enter(other)


def _from(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address, "X-Forwarded-Proto": "https"}
