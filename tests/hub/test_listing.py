"""`GET /api/tasks`, `GET /api/tasks/{id}`: filters, pages, and ids given short."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.played import PlayedHub
from hub.problems import assert_problem
from swarm_api.client import HubClient
from swarm_api.errors import Conflict, NotFound
from swarm_api.ids import short


async def prompts(client: HubClient, **filters: object) -> list[str]:
    return [task.prompt async for task in client.all_tasks(**filters)]


@pytest.fixture
async def three(client: HubClient) -> None:
    await client.submit_batch(
        [
            {"prompt": "one", "hold": True, "type": "docs", "labels": {"team": "core", "urgent": "yes"}},
            {"prompt": "two", "hold": True, "name": "The Parser", "labels": {"team": "web"}},
            {"prompt": "Fix 100% of the parser_bugs", "hold": True, "type": "review"},
        ]
    )


@pytest.mark.usefixtures("three")
async def test_tasks_come_newest_first(client: HubClient) -> None:
    assert await prompts(client) == ["Fix 100% of the parser_bugs", "two", "one"]


async def test_an_empty_hub_has_an_empty_list(hub: PlayedHub) -> None:
    answer = (await hub.get("/api/tasks")).json()
    assert answer == {"tasks": [], "total": 0, "nextCursor": None, "page": None, "limit": 20, "seq": 0}


async def test_20_tasks_make_a_page_unless_asked_otherwise(client: HubClient) -> None:
    await client.submit_batch({"prompt": f"Number {i}", "hold": True} for i in range(25))
    page = await client.tasks()
    assert (len(page.tasks), page.limit, page.total) == (20, 20, 25)


async def test_a_cursor_reaches_every_task_once(client: HubClient) -> None:
    await client.submit_batch({"prompt": f"Number {i}", "hold": True} for i in range(25))
    assert await prompts(client, limit=7) == [f"Number {i}" for i in reversed(range(25))]


async def test_tasks_submitted_meanwhile_do_not_shift_a_cursors_pages(client: HubClient) -> None:
    await client.submit_batch({"prompt": f"Number {i}", "hold": True} for i in range(4))
    first = await client.tasks(limit=2)
    await client.submit({"prompt": "Later", "hold": True})
    second = await client.tasks(limit=2, cursor=first.next_cursor)
    assert [task.prompt for task in second.tasks] == ["Number 1", "Number 0"]


async def test_the_last_page_has_no_cursor(client: HubClient) -> None:
    await client.submit_batch({"prompt": f"Number {i}", "hold": True} for i in range(4))
    first = await client.tasks(limit=2)
    assert first.next_cursor is not None
    assert (await client.tasks(limit=2, cursor=first.next_cursor)).next_cursor is None


async def test_pages_may_be_numbered_instead(client: HubClient) -> None:
    await client.submit_batch({"prompt": f"Number {i}", "hold": True} for i in range(5))
    page = await client.tasks(limit=2, page=2)
    assert ([task.prompt for task in page.tasks], page.page, page.total) == (["Number 2", "Number 1"], 2, 5)
    assert (await client.tasks(limit=2, page=9)).tasks == []


@pytest.mark.usefixtures("three")
async def test_a_type_selects(client: HubClient) -> None:
    assert await prompts(client, type="docs") == ["one"]


@pytest.mark.usefixtures("three")
async def test_a_label_selects_by_its_value_or_by_being_there(client: HubClient) -> None:
    assert await prompts(client, label="team=core") == ["one"]
    assert await prompts(client, label="team") == ["two", "one"]
    assert await prompts(client, label="team=") == []


@pytest.mark.usefixtures("three")
async def test_several_labels_must_all_be_there(hub: PlayedHub) -> None:
    both = (await hub.get("/api/tasks?label=team=core&label=urgent")).json()
    neither = (await hub.get("/api/tasks?label=team=web&label=urgent")).json()
    assert (both["total"], neither["total"]) == (1, 0)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("q", "found"), [("parser", 2), ("PARSER", 2), ("100%", 1), ("parser_b", 1), ("parser-b", 0), ("%", 1)]
)
async def test_q_is_looked_for_in_prompt_and_name_to_the_letter(client: HubClient, q: str, found: int) -> None:
    assert (await client.tasks(q=q)).total == found


async def test_a_status_selects_and_may_repeat(hub: PlayedHub) -> None:
    waiting = await hub.client.submit({"prompt": "waits", "hold": True})
    running, _ = await hub.running(prompt="runs")
    await hub.ended("success", prompt="done")
    pending = await hub.client.tasks(status="pending")
    assert [task.id for task in pending.tasks] == [waiting.id]
    either = await hub.client.tasks(status=["pending", "running"])
    assert [task.id for task in either.tasks] == [running.id, waiting.id]


async def test_since_and_until_bound_the_time_of_creation(client: HubClient) -> None:
    await client.submit({"prompt": "now", "hold": True})
    now, minute = datetime.now(UTC), timedelta(minutes=1)
    assert (await client.tasks(since=now - minute, until=now + minute)).total == 1
    assert (await client.tasks(since=now + minute)).total == 0
    assert (await client.tasks(until=now - minute)).total == 0


async def test_a_time_without_a_zone_is_refused(hub: PlayedHub) -> None:
    assert_problem(await hub.get("/api/tasks?since=2026-02-01T12:00:00"), 400, "malformed_request", "since")


async def test_a_list_says_from_where_to_follow(client: HubClient) -> None:
    task = await client.submit({"prompt": "Go", "hold": True})
    listed = await client.tasks()
    assert listed.seq == task.seq
    await client.cancel(task.id)
    missed = (await client.event_history()).events
    assert [event.type for event in missed if event.seq > listed.seq] == ["task_cancelled"]


async def test_an_id_may_be_given_short(client: HubClient) -> None:
    task = await client.submit({"prompt": "Go", "hold": True})
    for given in (short(task.id), "tsk_" + short(task.id), task.id):
        assert (await client.task(given)).id == task.id


async def test_a_short_id_that_fits_several_tasks_is_refused_with_all_of_them(client: HubClient) -> None:
    first, second = await client.submit_batch([{"prompt": "Go", "hold": True}] * 2)
    with pytest.raises(Conflict) as refused:
        await client.task("0")
    assert refused.value.code == "ambiguous_id"
    assert refused.value.data["candidates"] == [first.id, second.id]


async def test_a_task_that_does_not_exist_is_not_found(client: HubClient) -> None:
    with pytest.raises(NotFound):
        await client.task("tsk_0000000000000000")
