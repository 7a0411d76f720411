"""Behind a proxy nobody uses the hub in the clear, but who is on its machine."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from hub.edges import PROXIES, PROXY, STRANGER, asking
from hub.following import socket
from hub.played import LIMIT, PlayedHub, played_hub
from hub.problems import assert_problem
from swarm_hub.values import networks

PUBLIC = "https://swarm.example"
BEHIND: dict[str, Any] = {"trusted_proxies": PROXIES, "public_url": PUBLIC}
with_the_proxied_hub = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxied(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PlayedHub]:
    """A hub with its proxy on its own machine: what comes from 127.0.0.1 and says who sends it is the proxy's."""
    folder = tmp_path_factory.mktemp("proxied")
    async with played_hub(folder, trusted_proxies=networks("127.0.0.1"), public_url=PUBLIC) as hub:
        yield hub


async def asked(peer: str, *protos: str, path: str = "/api/tasks", url: str = PUBLIC) -> httpx.Response:
    async with asking(peer, url, **BEHIND) as client:
        return await client.get(path, headers=[("X-Forwarded-Proto", proto) for proto in protos])


@pytest.mark.parametrize(
    "said",
    [(), ("http",), ("",), ("ws",), ("https, http",), ("http,https",), ("https", "http"), ("httpsx",), ("https;x",),
     ("on",), ("https,",)],
    ids=str,
)  # fmt: skip
async def test_what_a_proxy_does_not_say_to_be_https_is_refused(said: tuple[str, ...]) -> None:
    assert_problem(await asked(PROXY, *said), 403, "https_required")


@pytest.mark.parametrize("said", [("https",), ("HTTPS",), ("https, https",), ("https", "https"), ("wss",)], ids=str)
async def test_what_a_proxy_says_to_be_https_is_so_for_the_application(said: tuple[str, ...]) -> None:
    assert (await asked(PROXY, *said, url="http://swarm.example")).json()["scheme"] == "https"


async def test_who_goes_round_the_proxy_is_refused_whatever_he_says() -> None:
    assert_problem(await asked(STRANGER), 403, "https_required")
    assert_problem(await asked(STRANGER, "https"), 403, "https_required")


@pytest.mark.parametrize("peer", [PROXY, STRANGER])
async def test_whether_it_is_well_may_be_asked_in_the_clear(peer: str) -> None:
    for path in ("/health", "/health/live"):
        assert (await asked(peer, path=path)).status_code == 200
    for path in ("/health/", "/healthy", "/metrics", "/", "/docs", "/health/live/x"):
        assert_problem(await asked(peer, path=path), 403, "https_required")


async def test_without_proxies_nobody_asks_how_it_came() -> None:
    async with asking(STRANGER) as client:
        assert (await client.get("/api/tasks")).json()["scheme"] == "http"


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"])
async def test_programs_on_its_machine_need_no_proxy(peer: str) -> None:
    assert (await asked(peer, url="http://localhost:3000")).status_code == 200


async def test_nor_do_they_where_it_listens_on_an_address_of_its_own() -> None:
    there = {"host": "192.0.2.7", "trusted_proxies": PROXIES}
    async with asking("192.0.2.7", "http://192.0.2.7:3000", **there) as client:
        assert (await client.get("/api/tasks")).status_code == 200
    async with asking("192.0.2.8", "http://192.0.2.7:3000", **there) as client:
        assert_problem(await client.get("/api/tasks"), 403, "https_required")


@with_the_proxied_hub
async def test_a_proxy_on_its_machine_is_told_from_the_programs_there(proxied: PlayedHub) -> None:
    assert (await proxied.get("/api/tasks")).status_code == 200
    for sign in ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via"):
        assert_problem(await proxied.get("/api/tasks", **{sign: "192.0.2.1"}), 403, "https_required")
    assert_problem(await proxied.get("/api/tasks", Host="swarm.example"), 403, "https_required")


@with_the_proxied_hub
async def test_a_proxy_on_its_machine_that_says_https_is_served(proxied: PlayedHub) -> None:
    through = {"Host": "swarm.example", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    assert (await proxied.get("/api/tasks", **through)).status_code == 200


@with_the_proxied_hub
async def test_a_socket_in_the_clear_is_accepted_and_closed_with_4403(proxied: PlayedHub) -> None:
    headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http"}
    async with socket(proxied, additional_headers=headers) as ws, asyncio.timeout(LIMIT):
        await ws.wait_closed()
    assert (ws.close_code, ws.close_reason) == (4403, "https_required")


@with_the_proxied_hub
async def test_a_socket_by_https_is_followed(proxied: PlayedHub) -> None:
    headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    async with socket(proxied, additional_headers=headers) as ws, asyncio.timeout(LIMIT):
        await (await ws.ping())


@pytest.mark.parametrize("path", ["/health", "/nothing"])
@with_the_proxied_hub
async def test_who_came_by_https_is_told_to_do_so_again(proxied: PlayedHub, path: str) -> None:
    answer = await proxied.get(path, **{"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"})
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    in_the_clear = await proxied.get(path)
    assert "strict-transport-security" not in in_the_clear.headers


async def test_so_is_a_page_of_an_allowed_origin() -> None:
    async with asking(PROXY, PUBLIC, allowed_origins=("https://app.example",), **BEHIND) as client:
        headers = {"Origin": "https://app.example", "X-Forwarded-Proto": "https"}
        answer = await client.get("/health", headers=headers)
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "strict-transport-security" in answer.headers


async def test_an_http_page_of_the_same_name_is_not_the_https_hubs_own() -> None:
    async with asking(PROXY, PUBLIC, **BEHIND) as client:
        for origin, status in (("https://swarm.example", 200), ("http://swarm.example", 403)):
            headers = {"Origin": origin, "X-Forwarded-Proto": "https"}
            assert (await client.get("/api/tasks", headers=headers)).status_code == status
