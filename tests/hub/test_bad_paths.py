"""Paths, queries and headers that name nothing, or that nobody can mean."""

import httpx
import pytest

from hub.played import PlayedHub
from hub.problems import assert_problem
from hub.submitting import UNKNOWN

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("nothing_stored")]

HOSTILE_IDS = [
    "nope", "..", "%2e%2e", "%00", "%ff", "%0a", "a%2Fb", "%F0%9F%90%9D", "x" * 5_000, "tsk_", "*", "'%20OR%201=1",
    UNKNOWN, UNKNOWN + "%0a", "local-agent-00000000",
]  # fmt: skip


@pytest.mark.parametrize("path", ["/api/tasks/{}", "/api/tasks/{}/logs", "/api/tasks/{}/diff", "/api/agents/{}"])
async def test_an_id_that_names_nothing_is_not_found(shared: PlayedHub, path: str) -> None:
    for name in HOSTILE_IDS:
        answer = await shared.http.request("GET", shared.url + path.format(name))
        assert_problem(answer, 404, answer.json()["code"])
        assert answer.json()["code"] in ("not_found", "no_such_path")


@pytest.mark.parametrize("path", ["/api/tasks/{}/cancel", "/api/tasks/{}/retry", "/api/execute/{}"])
async def test_nothing_is_done_to_an_id_that_names_nothing(shared: PlayedHub, path: str) -> None:
    for name in HOSTILE_IDS:
        answer = await shared.http.post(shared.url + path.format(name))
        assert_problem(answer, 404, answer.json()["code"])


@pytest.mark.parametrize("path", ["/", "/api", "/api/", "/api/tasks/", "/api/nothing", "/worker/v1", "/..//etc/passwd"])
async def test_there_is_nothing_at_other_paths(shared: PlayedHub, path: str) -> None:
    assert_problem(await shared.get(path), 404, "no_such_path")


async def test_a_method_a_path_does_not_take_is_refused_with_those_it_takes(shared: PlayedHub) -> None:
    answer = await shared.http.delete("/api/tasks")
    assert_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) >= {"GET", "POST"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/tasks?colour=red", "/api/tasks?Status=pending", "/api/agents?active=true&x=1", "/api/queue?x",
        "/api/events?task_id=x", f"/api/tasks/{UNKNOWN}?x=1", "/health?x=1", "/api/tasks?%00=1", "/api/tasks?%ff=1",
    ],
)  # fmt: skip
async def test_an_unknown_query_parameter_is_refused_by_name(shared: PlayedHub, path: str) -> None:
    answer = await shared.get(path)
    assert_problem(answer, 400, "malformed_request")
    assert answer.json()["errors"][0]["msg"] == "unknown query parameter"


@pytest.mark.parametrize(
    "query",
    [
        "status=done", "status=", "type=poem", "limit=0", "limit=201", "limit=ten", "limit=1e3", "page=0", "page=-1",
        "page=" + "9" * 30, "page=" + "9" * 5_000, "cursor=nope", "cursor=", "cursor=%00", f"cursor={UNKNOWN}&page=2",
        "since=yesterday", "since=" + "9" * 40, "until=2026-13-01T00:00:00Z", "q=" + "x" * 201,
    ],
)  # fmt: skip
async def test_a_bad_filter_is_refused(shared: PlayedHub, query: str) -> None:
    assert_problem(await shared.get(f"/api/tasks?{query}"), 400, "malformed_request")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00", "0001-01-01T00:00:00%2B23:00", "9999-12-31T23:59:59-23:00"])
async def test_a_time_at_the_end_of_time_is_no_trouble(shared: PlayedHub, moment: str) -> None:
    for name in ("since", "until"):
        answer = await shared.get(f"/api/tasks?{name}={moment}")
        assert answer.status_code in (200, 400), answer.text


@pytest.mark.parametrize("q", ["%25", "_", "'", "%00", "\\", "%22;drop table tasks", "%F0%9F%90%9D", "%ff"])
async def test_what_is_looked_for_is_only_looked_for(shared: PlayedHub, q: str) -> None:
    answer = await shared.get(f"/api/tasks?q={q}&label={q}")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "query",
    [
        "after=-1", "after=x", "after=1.5", "after=" + "9" * 30, "before=" + "9" * 30, "limit=0", "limit=1001",
        "types=poem", "types=", "types=task_created,", "taskId=nope", "taskId=%00",
    ],
)  # fmt: skip
async def test_a_bad_cursor_of_the_journal_is_refused(shared: PlayedHub, query: str) -> None:
    for accept in ("application/json", "text/event-stream"):
        assert_problem(await shared.get(f"/api/events?{query}", Accept=accept), 400, "malformed_request")


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "", "1, 2", "9" * 30, "9" * 5_000, "²"])
async def test_a_bad_last_event_id_is_refused(shared: PlayedHub, last: str) -> None:
    headers = httpx.Headers({"Accept": "text/event-stream", "Last-Event-ID": last}, encoding="latin-1")
    assert_problem(await shared.http.get("/api/events", headers=headers), 400, "malformed_request")


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ü"])
async def test_a_bad_idempotency_key_is_refused(shared: PlayedHub, key: str) -> None:
    headers = httpx.Headers({"Idempotency-Key": key}, encoding="latin-1")
    answer = await shared.http.post("/api/tasks", json={"prompt": "Go", "hold": True}, headers=headers)
    assert_problem(answer, 400, "malformed_request")
