"""No web page reaches the hub: every route looks at Host, Origin and Sec-Fetch-Site, whatever else it does."""

import asyncio
from pathlib import Path

import pytest

from hub.following import socket
from hub.played import LIMIT, PlayedHub, played_hub
from hub.problems import assert_problem
from swarm_hub.http import Route
from swarm_hub.routes.table import ROUTES

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("nothing_stored")]

EVERY_ROUTE = pytest.mark.parametrize(
    "route", [r for r in ROUTES if r.method != "WS"], ids=lambda route: f"{route.method} {route.path}"
)
FOREIGN_HOSTS = ["evil.example", "evil.example:3000", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::2]",
                 "127.0.0.2", "127.1", "localhost@evil.example", "127.0.0.1:80:80"]  # fmt: skip
FOREIGN_ORIGINS = ["https://evil.example", "http://127.0.0.1:9", "http://localhost", "null", "file://", "", "*"]
NO_ADDRESSES = ["evil.example", "192.0.2.7.evil.example", "[evil.example]", "192.0.2", "3221225991", "0x7f.1", "",
                "192.0.2.7:80:80", "[2001:db8::7", "[192.0.2.7]", "2001:db8::7", "[fe80::1%eth0]"]  # fmt: skip
FOREIGN_SITES = ["cross-site", "same-site", "nonsense"]


async def send(hub: PlayedHub, route: Route, **headers: str) -> tuple[int, str]:
    path = route.path.replace("{id}", "tsk_0000000000000000")
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await hub.http.request(route.method, path, headers=given)
    assert_problem(answer, answer.status_code, answer.json()["code"])
    assert answer.headers["x-request-id"]
    return answer.status_code, answer.json()["code"]


@EVERY_ROUTE
async def test_a_name_that_is_not_the_hubs_is_refused(shared: PlayedHub, route: Route) -> None:
    for host in FOREIGN_HOSTS:
        assert await send(shared, route, Host=host) == (403, "forbidden_host"), host


@EVERY_ROUTE
async def test_a_page_of_another_origin_is_refused(shared: PlayedHub, route: Route) -> None:
    for origin in FOREIGN_ORIGINS:
        assert await send(shared, route, Origin=origin) == (403, "forbidden_origin"), origin


@EVERY_ROUTE
async def test_what_a_browser_marks_as_from_another_site_is_refused(shared: PlayedHub, route: Route) -> None:
    for site in FOREIGN_SITES:
        assert await send(shared, route, Sec_Fetch_Site=site) == (403, "forbidden_origin"), site


@pytest.mark.parametrize("path", ["/nothing", "/ws", "/api/tasks/x/y/z"])
async def test_paths_that_are_none_are_guarded_too(shared: PlayedHub, path: str) -> None:
    assert_problem(await shared.get(path, Host="evil.example"), 403, "forbidden_host")
    assert_problem(await shared.get(path, Origin="https://evil.example"), 403, "forbidden_origin")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
async def test_the_names_of_this_machine_are_the_hubs(shared: PlayedHub, host: str) -> None:
    port = shared.url.rsplit(":", 1)[1]
    for named in (host, f"{host}:{port}"):
        assert (await shared.get("/health/live", Host=named)).status_code == 200


async def test_its_own_pages_may_use_the_hub(shared: PlayedHub) -> None:
    assert (await shared.get("/health/live", Origin=shared.url, **{"Sec-Fetch-Site": "same-origin"})).status_code == 200
    assert (await shared.get("/health/live", **{"Sec-Fetch-Site": "none"})).status_code == 200


async def test_nobody_is_invited_from_another_origin(shared: PlayedHub) -> None:
    answer = await shared.http.options(
        "/api/tasks", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    )
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_every_answer_has_a_request_id_or_the_one_it_was_given(shared: PlayedHub) -> None:
    for path in ("/health", "/nothing", "/api/tasks?bad=1"):
        assert (await shared.get(path)).headers["x-request-id"]
    assert (await shared.get("/health", **{"X-Request-Id": "mine-1"})).headers["x-request-id"] == "mine-1"
    odd = (await shared.get("/health", **{"X-Request-Id": "a b;c"})).headers["x-request-id"]
    assert odd not in ("", "a b;c")


async def test_two_requests_have_two_ids(shared: PlayedHub) -> None:
    ids = {(await shared.get("/health")).headers["x-request-id"] for _ in range(10)}
    assert len(ids) == 10


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
async def test_a_socket_of_another_origin_is_accepted_and_closed_with_4403(
    shared: PlayedHub, headers: dict[str, str]
) -> None:
    async with socket(shared, additional_headers=headers) as ws, asyncio.timeout(LIMIT):
        await ws.wait_closed()
    assert ws.close_code == 4403


async def test_a_second_origin_hides_behind_no_first(shared: PlayedHub) -> None:
    for pair in ((shared.url, "https://evil.example"), ("https://evil.example", shared.url)):
        headers = [("Origin", origin) for origin in pair]
        assert_problem(await shared.http.get("/health/live", headers=headers), 403, "forbidden_origin")


async def test_a_socket_of_the_hubs_own_page_is_followed(shared: PlayedHub) -> None:
    async with socket(shared, origin=shared.url) as ws, asyncio.timeout(LIMIT):
        await (await ws.ping())


async def test_a_public_url_adds_a_name_and_takes_none_away(tmp_path: Path) -> None:
    async with played_hub(tmp_path, public_url="https://swarm.example") as hub:
        assert (await hub.get("/health/live", Host="swarm.example")).status_code == 200
        assert (await hub.get("/health/live")).status_code == 200
        assert_problem(await hub.get("/health/live", Host="evil.example"), 403, "forbidden_host")


@pytest.mark.parametrize("host", ["192.0.2.7", "192.0.2.7:3000", "[2001:db8::7]", "[2001:DB8::7]:3000"])
async def test_beyond_loopback_it_answers_to_every_bare_address(tmp_path: Path, host: str) -> None:
    """A page that had its name point here sends that name; watchers and workers ask by address."""
    async with played_hub(tmp_path, host="0.0.0.0") as hub:  # noqa: S104  # that is the question
        assert (await hub.get("/health/live", Host=host)).status_code == 200


async def test_beyond_loopback_no_name_is_taken_for_an_address(tmp_path: Path) -> None:
    async with played_hub(tmp_path, host="0.0.0.0") as hub:  # noqa: S104  # that is the question
        for host in NO_ADDRESSES:
            assert_problem(await hub.get("/health/live", Host=host), 403, "forbidden_host")
