"""The audit trail: who did what, when, from where."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from hub.played import PlayedHub
from hub.problems import assert_problem
from hub.submitting import UNKNOWN
from hubs import ADMIN_KEY, HubProcess
from identity.asking import KEYS, REFRESH, REVOKE, TOKEN, bearer, exchange, forget_limits, make_key
from identity.credentials import written

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
Act = Callable[[PlayedHub, dict[str, str]], Awaitable["str | None"]]
BOOTSTRAP = "key_ofthetests"
NUMBER = {"X-Request-Id": "the-one-in-question"}


@pytest.fixture(name="hub")
def _hub(rested: PlayedHub) -> PlayedHub:
    return rested


async def entries(hub: PlayedHub, query: str = "") -> list[Json]:
    answer = await hub.get(f"/api/audit{query}")
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["entries"]
    return found


async def since(hub: PlayedHub, before: list[Json]) -> list[Json]:
    """What came after."""
    last = before[0]["seq"] if before else 0
    return [entry for entry in await entries(hub) if entry["seq"] > last]


async def create_key(hub: PlayedHub, headers: dict[str, str]) -> str:
    answer = await hub.post(KEYS, {"name": "CI", "scopes": ["tasks:read"]}, **headers)
    return str(answer.json()["id"])


async def revoke_key(hub: PlayedHub, headers: dict[str, str]) -> str:
    id_ = str((await make_key(hub, by=ADMIN_KEY))["id"])
    assert (await hub.http.delete(f"{KEYS}/{id_}", headers=headers)).status_code == 204
    return id_


async def create_token(hub: PlayedHub, headers: dict[str, str]) -> str:
    answer = await hub.post(TOKEN, {"apiKey": ADMIN_KEY}, **headers)
    return str(written(answer.json()["token"])["jti"])


async def refresh_token(hub: PlayedHub, headers: dict[str, str]) -> str:
    answer = await hub.post(REFRESH, **headers)
    return str(written(answer.json()["token"])["jti"])


async def revoke_token(hub: PlayedHub, headers: dict[str, str]) -> str:
    token = await exchange(hub, ADMIN_KEY)
    assert (await hub.post(REVOKE, {}, **{**headers, **bearer(token)})).status_code == 204
    return str(written(token)["jti"])


async def submit(hub: PlayedHub, headers: dict[str, str]) -> str:
    return str((await hub.post("/api/tasks", {"prompt": "Go", "hold": True}, **headers)).json()["id"])


async def cancel(hub: PlayedHub, headers: dict[str, str]) -> str:
    task = await submit(hub, {})
    assert (await hub.post(f"/api/tasks/{task}/cancel", **headers)).status_code == 202
    return task


async def retry(hub: PlayedHub, headers: dict[str, str]) -> str:
    task = await cancel(hub, {})
    assert (await hub.post(f"/api/tasks/{task}/retry", **headers)).status_code == 202
    return task


async def execute(hub: PlayedHub, headers: dict[str, str]) -> str:
    task = await submit(hub, {})
    assert (await hub.post(f"/api/execute/{task}", **headers)).status_code == 202
    return task


async def execute_all(hub: PlayedHub, headers: dict[str, str]) -> None:
    assert (await hub.post("/api/execute/batch", **headers)).status_code == 202


ACTS: dict[str, Act] = {
    "key.create": create_key, "key.revoke": revoke_key, "token.create": create_token, "token.refresh": refresh_token,
    "token.revoke": revoke_token, "task.create": submit, "task.cancel": cancel, "task.retry": retry,
}  # fmt: skip


@pytest.mark.parametrize("action", ACTS)
async def test_a_change_leaves_one_entry(hub: PlayedHub, action: str) -> None:
    before = await entries(hub)
    target = await ACTS[action](hub, NUMBER)
    (entry,) = [entry for entry in await since(hub, before) if entry["requestId"] == NUMBER["X-Request-Id"]]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry.pop("at"))
    assert entry.pop("seq")
    entry.pop("detail")
    assert entry == {
        "who": BOOTSTRAP, "action": action, "target": target, "address": "127.0.0.1", "outcome": "done",
        "requestId": NUMBER["X-Request-Id"],
    }  # fmt: skip


@pytest.mark.parametrize("act", [execute, execute_all])
async def test_a_start_by_hand_leaves_one_entry(hub: PlayedHub, act: Act) -> None:
    before = await entries(hub)
    target = await act(hub, NUMBER)
    (entry,) = [entry for entry in await since(hub, before) if entry["requestId"] == NUMBER["X-Request-Id"]]
    assert (entry["who"], entry["action"], entry["target"]) == (BOOTSTRAP, "task.execute", target)


async def test_an_entry_names_who_did_it(hub: PlayedHub) -> None:
    made = await make_key(hub, "tasks:write")
    task = await submit(hub, bearer(made["key"]))
    (entry,) = await entries(hub, f"?target={task}")
    assert entry["who"] == made["id"]


async def test_an_exchange_is_its_keys_doing(hub: PlayedHub) -> None:
    """The request itself carries no credential."""
    made = await make_key(hub)
    answer = await hub.http.post(TOKEN, json={"apiKey": made["key"]}, headers={"Authorization": ""})
    (entry,) = await entries(hub, f"?target={written(answer.json()['token'])['jti']}")
    assert entry["who"] == made["id"]


async def test_a_batch_leaves_one_entry_that_says_how_many(hub: PlayedHub) -> None:
    before = await entries(hub)
    tasks = [{"prompt": "Go", "hold": True}] * 30
    first = (await hub.post("/api/tasks", {"tasks": tasks})).json()["tasks"][0]["id"]
    (entry,) = await since(hub, before)
    assert (entry["target"], entry["detail"]) == (first, "and 29 more")


async def test_a_repetition_leaves_none(hub: PlayedHub) -> None:
    again = {"Idempotency-Key": "of-the-audit"}
    await hub.post("/api/tasks", {"prompt": "Go", "hold": True}, **again)
    before = await entries(hub)
    await hub.post("/api/tasks", {"prompt": "Go", "hold": True}, **again)
    assert await since(hub, before) == []


async def test_what_is_refused_leaves_none(hub: PlayedHub) -> None:
    reader = bearer((await make_key(hub, "tasks:read"))["key"])
    ended = await cancel(hub, {})
    await hub.post("/api/execute/batch", {})
    before = await entries(hub)
    forget_limits(hub)
    refused = [
        await hub.post("/api/tasks", {"prompt": ""}),
        await hub.post("/api/tasks", {"prompt": "Go"}, **reader),
        await hub.post("/api/tasks", {"prompt": "Go"}, **bearer("garbage")),
        await hub.post(f"/api/tasks/{UNKNOWN}/cancel"),
        await hub.post(f"/api/execute/{ended}"),
        await hub.post(KEYS, {"name": "", "scopes": ["tasks:read"]}),
        await hub.post(KEYS, {"name": "x", "scopes": ["admin"]}, **reader),
        await hub.http.delete(f"{KEYS}/key_nobodys"),
        await hub.post(TOKEN, {"apiKey": f"sk_swarm_nobodys_{'x' * 43}"}),
        await hub.post(REVOKE, {}),
    ]
    assert {answer.status_code // 100 for answer in refused} == {4}
    assert await since(hub, before) == []


@pytest.mark.parametrize("table", ["audit", "tasks"])
async def test_a_change_and_its_entry_are_stored_together_or_not_at_all(hub: PlayedHub, table: str) -> None:
    before, tasks = await entries(hub), (await hub.get("/api/tasks")).json()["total"]
    await _run(hub, f"CREATE TRIGGER no BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END")
    try:
        answer = await hub.post("/api/tasks", {"prompt": "Go", "hold": True})
    finally:
        await _run(hub, "DROP TRIGGER no")
    assert_problem(answer, 503, "storage_failed")
    assert await since(hub, before) == []
    assert (await hub.get("/api/tasks")).json()["total"] == tasks


async def test_entries_come_in_pages_newest_first(hub: PlayedHub) -> None:
    for _ in range(5):
        await submit(hub, {})
    whole, seen, query = await entries(hub, "?limit=1000"), [], "?limit=2"
    while True:
        page = (await hub.get(f"/api/audit{query}")).json()
        seen += page["entries"]
        if page["nextBefore"] is None:
            break
        query = f"?limit=2&before={page['nextBefore']}"
    assert [entry["seq"] for entry in seen] == [entry["seq"] for entry in whole]
    assert [entry["seq"] for entry in seen] == sorted((entry["seq"] for entry in seen), reverse=True)


async def test_entries_can_be_picked(hub: PlayedHub) -> None:
    task = await cancel(hub, {})
    assert [entry["action"] for entry in await entries(hub, f"?target={task}")] == ["task.cancel", "task.create"]
    assert [entry["target"] for entry in await entries(hub, f"?action=task.cancel&target={task}")] == [task]
    assert await entries(hub, "?who=nobody") == []


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "before=-1", "before=x", "page=2", "who=" + "x" * 101])
async def test_a_bad_question_is_told_so(hub: PlayedHub, query: str) -> None:
    assert_problem(await hub.get(f"/api/audit?{query}"), 400, "malformed_request")


async def test_the_first_key_leaves_an_entry_too(start_hub: Callable[..., HubProcess]) -> None:
    """No request asked for it; the hub made it by itself."""
    hub = start_hub(SWARM_BOOTSTRAP_KEY="")
    async with httpx.AsyncClient(base_url=hub.url, headers=bearer(hub.token()), trust_env=False) as http:
        (entry,) = (await http.get("/api/audit")).json()["entries"]
    assert (entry["who"], entry["action"]) == ("local", "key.create")
    assert entry["target"].startswith("key_")


async def _run(hub: PlayedHub, statement: str) -> None:
    await hub.parts.store.write(lambda tx: tx.execute(text(statement)).rowcount)
