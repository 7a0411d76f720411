"""The headers of every answer: a browser shows it in no frame, guesses nothing, keeps nothing and passes nothing on."""

import httpx
import pytest

from hub.following import socket
from hub.played import PlayedHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALWAYS = {
    "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin", "cache-control": "no-store",
}  # fmt: skip
NOTHING = "default-src 'none'; frame-ancestors 'none'"


def assert_guarded(answer: httpx.Response, policy: str = NOTHING) -> None:
    """It has each header once."""
    said = [
        (name, value) for name, value in answer.headers.multi_items() if name in {*ALWAYS, "content-security-policy"}
    ]
    assert sorted(said) == sorted({**ALWAYS, "content-security-policy": policy}.items())
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200), ("HEAD", "/health", 200), ("GET", "/openapi.json", 200), ("GET", "/api/tasks", 200),
        ("GET", "/nothing", 404), ("GET", "/api/tasks/tsk_0000000000000000", 404), ("PATCH", "/api/tasks", 405),
        ("POST", "/api/tasks", 422), ("GET", "/api/tasks?x=1", 400), ("GET", "/api/conflicts", 501),
    ],
)  # fmt: skip
async def test_answers_and_problems_have_them(shared: PlayedHub, method: str, path: str, status: int) -> None:
    answer = await shared.http.request(method, path)
    assert answer.status_code == status
    assert_guarded(answer)


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Authorization": "Bearer no"}], ids=str
)
async def test_refusals_have_them(shared: PlayedHub, headers: dict[str, str]) -> None:
    answer = await shared.get("/api/tasks", **headers)
    assert answer.status_code in (401, 403)
    assert_guarded(answer)


async def test_streams_have_them(shared: PlayedHub) -> None:
    async with shared.http.stream("GET", "/api/events", headers={"Accept": "text/event-stream"}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert_guarded(answer)


async def test_the_page_for_people_may_show_its_own_style_and_nothing_else(shared: PlayedHub) -> None:
    answer = await shared.get("/docs")
    assert_guarded(answer, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")


async def test_a_socket_has_a_request_id_too(shared: PlayedHub) -> None:
    async with socket(shared, additional_headers={"X-Request-Id": "mine-2"}) as ws:
        assert ws.response is not None
        assert ws.response.headers["x-request-id"] == "mine-2"
