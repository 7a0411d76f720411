"""What runs now, in a notebook: it follows a real hub, and its buttons do what they say."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.played import PlayedHub, played_hub
from hubs import ADMIN_KEY, HubProcess
from swarm_api.auth import KeyIn
from swarm_api.worker import ProgressReport, UsageReport
from swarm_notebooks.connection import Swarm
from swarm_notebooks.live import Live
from waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path_factory.mktemp("live")) as hub:
        yield hub


@pytest_asyncio.fixture(loop_scope="module")
async def live(hub: PlayedHub) -> AsyncIterator[Live]:
    swarm = Swarm(hub.url, ADMIN_KEY)
    live = Live(swarm)
    yield live
    await asyncio.to_thread(live.close)  # it takes its leave of the hub, which is in this loop
    await asyncio.to_thread(swarm.close)


def row(live: Live, name: str) -> str:
    """The HTML of a task's row; empty when there is none."""
    return next((box.children[0].value for box in live.children[3:-1] if name in box.children[0].value), "")


def button(live: Live, name: str, which: int) -> object:
    return next(box.children[which] for box in live.children[3:-1] if name in box.children[0].value)


def note(live: Live) -> str:
    return str(live.children[0].value)


async def test_a_task_is_followed_from_its_submission_to_its_end(hub: PlayedHub, live: Live) -> None:
    _task, worker = await hub.running(name="followed", model="opus")
    await until(lambda: "running" in row(live, "followed"))
    assert "opus" in row(live, "followed")
    await worker.finish()
    await until(lambda: "completed" in row(live, "followed"))


async def test_turns_tokens_and_cost_of_what_runs_are_shown(hub: PlayedHub, live: Live) -> None:
    _, worker = await hub.running(name="spender")
    used = UsageReport(model="claude-opus-5-5", input=41_000, output=999, cost_micro_usd=1_230_000)
    await worker.report(used, ProgressReport(turns=37))
    await until(lambda: "$1.23" in row(live, "spender"))
    assert ">37<" in row(live, "spender")
    assert ">42 k<" in row(live, "spender")
    await worker.finish()


async def test_the_cancel_button_cancels(hub: PlayedHub, live: Live) -> None:
    task = await hub.client.submit({"prompt": "Work", "name": "unwanted", "hold": True})
    await until(lambda: row(live, "unwanted"))
    button(live, "unwanted", 1).click()  # type: ignore[attr-defined]
    await until(lambda: "cancelled" in row(live, "unwanted"))
    assert (await hub.client.task(task.id)).status == "cancelled"


async def test_the_retry_button_retries_what_failed_and_nothing_else(hub: PlayedHub, live: Live) -> None:
    task = await hub.ended("failure", name="failing")
    await until(lambda: "failed" in row(live, "failing"))
    assert button(live, "failing", 1).disabled  # type: ignore[attr-defined]
    button(live, "failing", 2).click()  # type: ignore[attr-defined]
    await hub.worker(task.id, attempt=2)
    await until(lambda: "pending" in row(live, "failing") or "running" in row(live, "failing"))
    assert button(live, "failing", 2).disabled  # type: ignore[attr-defined]


async def test_what_the_hub_refuses_is_said(hub: PlayedHub, live: Live) -> None:
    await hub.ended("success", name="finished")
    await until(lambda: "completed" in row(live, "finished"))
    button(live, "finished", 2).click()  # type: ignore[attr-defined]
    await until(lambda: "has completed" in note(live))


async def test_names_and_models_are_text_and_never_html(hub: PlayedHub, live: Live) -> None:
    await hub.client.submit({"prompt": "<img src=x onerror=alert(1)>", "hold": True})
    await hub.client.submit({"prompt": "Go", "name": '"><script>alert(2)</script>', "hold": True})
    await until(lambda: row(live, "alert(1)") and row(live, "alert(2)"))
    shown = "".join(box.children[0].value for box in live.children[3:-1]) + live.html
    assert "<img" not in shown
    assert "<script" not in shown
    assert 'title=""&gt;' not in shown.replace('title="&quot;', "")


async def test_it_shows_two_hundred_rows_at_most_and_says_how_many_more_there_are(hub: PlayedHub, live: Live) -> None:
    tasks = await hub.client.submit_batch({"prompt": "Many", "hold": True} for _ in range(230))
    await until(lambda: "more that run or wait" in live.children[-1].value)
    assert len(live.children[3:-1]) == 200
    for task in tasks:
        await hub.client.cancel(task.id)


async def test_the_budget_stands_above_the_rows(live: Live) -> None:
    await until(lambda: "of $100.00" in live.children[1].value)


async def test_a_viewer_without_a_kernel_sees_a_table(hub: PlayedHub, live: Live) -> None:
    await hub.client.submit({"prompt": "Go", "name": "printed", "hold": True})
    await until(lambda: row(live, "printed"))
    shown = live._repr_mimebundle_()
    assert "printed" in shown["text/html"]
    assert "<table>" in shown["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in shown


async def test_after_close_nothing_is_followed(hub: PlayedHub, live: Live) -> None:
    await asyncio.to_thread(live.close)
    await hub.client.submit({"prompt": "Go", "name": "afterwards", "hold": True})
    assert "stopped" in note(live)
    assert row(live, "afterwards") == ""


async def test_a_hub_that_is_killed_and_comes_back_is_followed_from_where_it_was(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.start()
    with Swarm(hub.url, ADMIN_KEY) as swarm:
        live = Live(swarm)
        async with hub.client() as client:
            first = await client.submit({"prompt": "Go", "name": "before", "hold": True})
        await until(lambda: row(live, "before"))
        heard = live.cursor
        hub.kill()
        await until(lambda: "trying again" in note(live) or "resuming" in note(live))
        hub.start()
        async with hub.client() as client:
            await client.cancel(first.id)
            last = await client.submit({"prompt": "Go", "name": "after", "hold": True})
        await until(lambda: "cancelled" in row(live, "before") and row(live, "after"))
        await until(lambda: "live" in note(live))
        assert first.seq == heard
        assert last.seq == live.cursor
        live.close()
    hub.stop()


async def test_a_hub_with_another_journal_is_looked_at_anew(tmp_path: Path) -> None:
    """Its data folder was put aside: the cursor is none of its own."""
    hub = HubProcess(tmp_path)
    hub.start()
    with Swarm(hub.url, ADMIN_KEY) as swarm:
        async with hub.client() as client:
            await client.submit_batch({"prompt": "Go", "name": f"old {i}", "hold": True} for i in range(3))
        live = Live(swarm)
        await until(lambda: row(live, "old 2"))
        hub.stop()
        hub.data_dir.rename(tmp_path / "aside")
        hub.start()
        await until(lambda: live.cursor == 0)
        await until(lambda: not row(live, "old 2"))
        live.close()
    hub.stop()


class TwoKeys:
    """A source whose first credential ends."""

    def __init__(self, *keys: str) -> None:
        self._keys = list(keys)

    def token(self) -> str:
        return self._keys[0]

    def renewed(self, refused: str | None) -> str | None:
        if refused == self._keys[0]:
            del self._keys[0]
        return self._keys[0]

    def rest(self) -> None:
        return None


async def test_a_credential_that_ends_is_replaced_and_nothing_is_missed(hub: PlayedHub) -> None:
    made = await hub.client.make_key(KeyIn(name="short-lived", scopes=["tasks:read", "agents:read", "metrics:read"]))
    swarm = Swarm(hub.url, TwoKeys(made.key, ADMIN_KEY))
    live = Live(swarm)
    await until(lambda: note(live).count("live · "))
    await hub.client.revoke_key(made.id)
    task = await hub.client.submit({"prompt": "Go", "name": "renewed", "hold": True})
    await until(lambda: row(live, "renewed"))
    await until(lambda: live.cursor == task.seq)
    await asyncio.to_thread(live.close)
    await asyncio.to_thread(swarm.close)
