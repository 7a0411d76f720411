"""ALLOWED_ORIGINS: pages of these origins use the hub as far as their credential goes, and pages of no others."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from hub.following import socket, stream
from hub.played import LIMIT, PlayedHub, played_hub
from hub.problems import assert_problem
from swarm_hub.routes.table import ROUTES

pytestmark = pytest.mark.asyncio(loop_scope="module")

APP, OTHER = "https://app.example", "http://localhost:5173"
FOREIGN = ["https://evil.example", "null", "https://app.example.evil.example", "http://app.example", "app.example",
           "https://app.example:8443", "https://APP.example", "https://app.example, https://evil.example",
           "https://app.example/", "", "*"]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path_factory.mktemp("open"), allowed_origins=(APP, OTHER)) as hub:
        yield hub


async def preflight(hub: PlayedHub, path: str, origin: str = APP, method: str = "POST") -> httpx.Response:
    """What a browser asks before it sends for a page what a form could not; it adds no credential."""
    headers = {
        "Origin": origin, "Access-Control-Request-Method": method, "Sec-Fetch-Site": "cross-site",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }  # fmt: skip
    async with httpx.AsyncClient(base_url=hub.url, trust_env=False) as nobody:
        return await nobody.options(path, headers=headers)


def invitations(answer: httpx.Response) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("origin", [APP, OTHER])
async def test_a_page_of_an_allowed_origin_may_read_the_answer(open_hub: PlayedHub, origin: str) -> None:
    for site in ("cross-site", "same-site"):
        answer = await open_hub.get("/api/tasks", **{"Origin": origin, "Sec-Fetch-Site": site})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-expose-headers"] == "X-Request-Id, Retry-After"


async def test_it_may_read_why_it_was_refused_too(open_hub: PlayedHub) -> None:
    for path, token, code in (("/api/tasks", "Bearer no", "not_authenticated"), ("/nothing", "", "no_such_path")):
        answer = await open_hub.get(path, Origin=APP, Authorization=token)
        assert answer.json()["code"] == code
        assert answer.headers["access-control-allow-origin"] == APP


async def test_no_cookie_is_ever_asked_for(open_hub: PlayedHub) -> None:
    for answer in (await open_hub.get("/api/tasks", Origin=APP), await preflight(open_hub, "/api/tasks")):
        assert "access-control-allow-credentials" not in answer.headers
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_another_origin_is_refused_and_may_read_nothing(open_hub: PlayedHub, origin: str) -> None:
    answers = (
        await open_hub.get("/health", Origin=origin),
        await open_hub.get("/api/tasks", **{"Origin": origin, "Sec-Fetch-Site": "same-origin"}),
        await preflight(open_hub, "/api/tasks", origin),
    )
    for answer in answers:
        assert_problem(answer, 403, "forbidden_origin")
        assert invitations(answer) == []


async def test_a_page_that_hides_its_origin_is_refused(open_hub: PlayedHub) -> None:
    answer = await open_hub.get("/health", **{"Sec-Fetch-Site": "cross-site"})
    assert_problem(answer, 403, "forbidden_origin")


async def test_a_second_origin_hides_behind_no_allowed_one(open_hub: PlayedHub) -> None:
    for pair in ((APP, "https://evil.example"), ("https://evil.example", APP), (APP, APP)):
        answer = await open_hub.http.get("/health", headers=[("Origin", origin) for origin in pair])
        assert_problem(answer, 403, "forbidden_origin")


async def test_every_path_says_before_which_methods_it_takes(open_hub: PlayedHub) -> None:
    for path in {route.path for route in ROUTES if route.method != "WS"}:
        answer = await preflight(open_hub, path.replace("{id}", "tsk_0000000000000000"))
        assert (answer.status_code, answer.content) == (204, b""), path
        methods = set(answer.headers["access-control-allow-methods"].split(", "))
        assert methods == {route.method for route in ROUTES if route.path == path}, path


async def test_what_it_may_send_along_is_said_before(open_hub: PlayedHub) -> None:
    answer = await preflight(open_hub, "/api/tasks")
    assert answer.headers["access-control-allow-origin"] == APP
    headers = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id"
    assert answer.headers["access-control-allow-headers"] == headers
    assert answer.headers["access-control-max-age"] == "600"


async def test_a_path_there_is_not_is_not_offered(open_hub: PlayedHub) -> None:
    assert_problem(await preflight(open_hub, "/nothing"), 404, "no_such_path")


async def test_options_without_a_question_are_a_method_like_others(open_hub: PlayedHub) -> None:
    assert_problem(await open_hub.http.options("/api/tasks", headers={"Origin": APP}), 405, "method_not_allowed")


async def test_no_cache_gives_one_origin_the_answer_of_another(open_hub: PlayedHub, shared: PlayedHub) -> None:
    for headers in ({}, {"Origin": APP}, {"Origin": "https://evil.example"}):
        assert (await open_hub.get("/health", **headers)).headers["vary"] == "Origin"
    assert (await preflight(open_hub, "/api/tasks")).headers["vary"] == "Origin"
    assert "vary" not in (await shared.get("/health")).headers


async def test_a_stream_is_followed_from_an_allowed_origin(open_hub: PlayedHub) -> None:
    async with stream(open_hub, "/api/events", Accept="text/event-stream", Origin=APP, Sec_Fetch_Site="cross-site"):
        pass


async def test_a_socket_is_followed_from_an_allowed_origin(open_hub: PlayedHub) -> None:
    async with socket(open_hub, origin=APP) as ws, asyncio.timeout(LIMIT):
        await (await ws.ping())


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://app.example"])
async def test_a_socket_of_another_is_accepted_and_closed_with_4403(open_hub: PlayedHub, origin: str) -> None:
    async with socket(open_hub, additional_headers={"Origin": origin}) as ws, asyncio.timeout(LIMIT):
        await ws.wait_closed()
    assert (ws.close_code, ws.close_reason) == (4403, "forbidden_origin")
