"""A runtime's run, from its start to its last report, however it comes to that."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from swarm_api.worker import Control, LogReport, Report, ResultReport, WorkOrder
from swarm_worker.halt import BUDGET, Halt, Reason
from swarm_worker.outbox import Outbox
from swarm_worker.runtimes import Place, Runtime
from swarm_worker.runtimes.scripted import ScriptedRuntime
from swarm_worker.runtimes.simulated import SimulatedRuntime
from swarm_worker.session import Session
from swarm_worker.spool import Spool
from worker.ground import ORDER
from worker.waiting import has_ended, is_whole_line, until

ENOUGH = Reason("timeout", "timeout", "time is up", grace=0.2)


class Stage:
    """Where a runtime runs, and what is heard of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = Place(folder, folder, folder, {"PATH": os.environ["PATH"]}, folder)
        self.spool = Spool(folder / "spool")
        self.outbox = Outbox(self.spool)
        self.halt = Halt()
        self.messages: asyncio.Queue[Control] = asyncio.Queue()

    async def play(self, *steps: dict[str, Any], order: WorkOrder = ORDER) -> ResultReport:
        return await self.run(ScriptedRuntime(), replace(order, prompt=json.dumps(steps)))

    async def run(self, runtime: Runtime, order: WorkOrder = ORDER) -> ResultReport:
        session = Session(runtime, order, self.place, self.outbox, lambda: None)
        passing = asyncio.create_task(session.pass_on(self.messages))
        try:
            async with asyncio.timeout(20):
                return await session.run(self.halt)
        finally:
            passing.cancel()

    def reports(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.outbox.batch(1_000, 1_000_000)]

    def said(self, stream: str = "agent") -> list[str]:
        return [report["text"] for report in self.reports() if report.get("stream") == stream]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.spool.close()


async def test_reports_are_numbered_in_order_and_the_result_is_given_back(stage: Stage) -> None:
    result = await stage.play({"say": "one"}, {"say": "two\nthree"}, {"done": "all said"})
    assert (result.status, result.summary, result.turns) == ("success", "all said", 3)
    assert stage.said() == ["one", "two", "three"]
    assert [report["n"] for report in stage.reports()] == list(range(1, len(stage.reports()) + 1))


async def test_a_runtime_that_crashes_is_reported_as_crashed(stage: Stage) -> None:
    result = await stage.play({"say": "one"}, {"crash": True})
    assert (result.status, result.error_code, result.error_message) == (
        "failure", "runtime_crashed", "the script told it to crash",
    )  # fmt: skip
    assert result.turns == 1


async def test_what_a_runtime_says_before_it_crashes_is_heard(stage: Stage) -> None:
    await stage.play({"say": "last words"}, {"crash": True})
    assert stage.said() == ["last words"]


class Silent:
    """A runtime that ends as it is told, without a result."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.closed = False

    async def run(self, order: WorkOrder, place: Place) -> AsyncIterator[Report]:
        try:
            yield LogReport(stream="agent", text="…")
            if self._error:
                raise self._error
        finally:
            self.closed = True

    async def send(self, message: str) -> None:
        raise ConnectionError("nobody listens")

    async def interrupt(self) -> None:
        pass


async def test_a_runtime_without_a_result_is_reported_as_crashed(stage: Stage) -> None:
    result = await stage.run(Silent())
    assert (result.error_code, result.error_message) == ("runtime_crashed", "the runtime ended without a result")


async def test_an_error_of_a_runtime_is_reported_with_its_name(stage: Stage) -> None:
    result = await stage.run(Silent(ZeroDivisionError("by zero")))
    assert (result.error_code, result.error_message) == ("runtime_crashed", "ZeroDivisionError: by zero")


async def halted(stage: Stage, reason: Reason, *steps: dict[str, Any]) -> ResultReport:
    """The result of a script that is halted when it has made the file `here`."""
    running = asyncio.create_task(stage.play(*steps))
    await until(lambda: is_whole_line(stage.folder / "here"))
    stage.halt.because(reason)
    return await running


async def test_a_halted_runtime_is_interrupted_and_the_reason_is_the_result(stage: Stage) -> None:
    long = replace(ENOUGH, grace=10.0)
    result = await halted(stage, long, {"say": "one"}, {"run": "echo $$ > here; exec sleep 600"})
    assert (result.status, result.error_code, result.error_message) == ("timeout", "timeout", "time is up")
    assert has_ended(int((stage.folder / "here").read_text()))


async def test_a_runtime_that_hears_nothing_is_closed_after_a_while(stage: Stage) -> None:
    result = await halted(stage, ENOUGH, {"write": ["here", "\n"]}, {"hang": True})
    assert result.status == "timeout"


async def test_a_command_that_does_not_want_to_end_is_killed(stage: Stage) -> None:
    result = await halted(stage, ENOUGH, {"run": "trap '' TERM; echo $$ > here; while :; do sleep 0.1; done"})
    assert result.status == "timeout"
    await until(lambda: has_ended(int((stage.folder / "here").read_text())), 5)


async def test_a_runtime_that_will_end_by_itself_is_given_the_time_to(stage: Stage) -> None:
    running = asyncio.create_task(stage.play({"write": ["here", "\n"]}, {"wait_file": "go"}, {"say": "to the end"}))
    await until(lambda: is_whole_line(stage.folder / "here"))
    stage.halt.because(BUDGET)
    (stage.folder / "go").touch()
    result = await running
    assert (stage.said(), result.turns) == (["to the end"], 3)
    assert (result.status, result.error_code) == ("budget", "budget_exceeded")


async def test_a_runtime_that_does_not_end_by_itself_is_interrupted_then(stage: Stage) -> None:
    soon = replace(BUDGET, patience=0.05, grace=10.0)
    result = await halted(stage, soon, {"run": "echo $$ > here; exec sleep 600"})
    assert result.status == "budget"
    assert has_ended(int((stage.folder / "here").read_text()))


async def test_the_first_reason_to_halt_counts(stage: Stage) -> None:
    stage.halt.because(ENOUGH)
    stage.halt.because(Reason("failure", "out_of_memory", "too late"))
    assert (await stage.play({"hang": True})).error_code == "timeout"


async def test_messages_are_passed_on_in_order(stage: Stage) -> None:
    for c, text in enumerate(["first", "second"], 1):
        stage.messages.put_nowait(Control(c=c, kind="message", text=text))
    await stage.play({"echo_messages": 2})
    assert stage.said() == ["heard: first", "heard: second"]


async def test_a_message_may_interrupt_what_is_being_done(stage: Stage) -> None:
    running = asyncio.create_task(stage.play({"run": "echo > here; sleep 600"}, {"echo_messages": True}))
    await until(lambda: is_whole_line(stage.folder / "here"))
    stage.messages.put_nowait(Control(c=1, kind="message", text="leave it", interrupt=True))
    assert (await running).status == "success"
    assert stage.said() == ["heard: leave it"]


async def test_a_message_that_cannot_be_passed_on_is_said_to_be_lost(stage: Stage) -> None:
    session = Session(Silent(), ORDER, stage.place, stage.outbox, lambda: None)
    stage.messages.put_nowait(Control(c=1, kind="message", text="hello"))
    passing = asyncio.create_task(session.pass_on(stage.messages))
    await until(lambda: stage.said("system"))
    passing.cancel()
    assert stage.said("system") == ["a message could not be passed on: ConnectionError: nobody listens"]


async def test_a_script_that_is_none_fails(stage: Stage) -> None:
    result = await stage.run(ScriptedRuntime(), replace(ORDER, prompt="Say hello"))
    assert (result.status, result.error_message) == ("failure", "the prompt is no JSON list of steps")


async def test_a_step_of_another_attempt_is_left_out(stage: Stage) -> None:
    await stage.play({"say": "one", "attempt": 1}, {"say": "two", "attempt": 2}, {"say": "both"})
    assert stage.said() == ["one", "both"]


class TestSimulated:
    """The agent that only pretends."""

    def order(self, **labels: str) -> WorkOrder:
        names = {f"simulate.{name}": value for name, value in {"seconds": "0", **labels}.items()}
        return replace(ORDER, labels=names, prompt="Add vouchers\n\nIn detail: …")

    async def test_the_same_task_pretends_the_same(self, tmp_path: Path) -> None:
        told = []
        for folder in (tmp_path / "one", tmp_path / "two"):
            folder.mkdir()
            (folder / "README.md").write_text("# A sample\n")
            stage = Stage(folder)
            await stage.run(SimulatedRuntime(), self.order())
            files = {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}
            told.append((files, [{**report, "atMs": 0, "elapsedMs": 0} for report in stage.reports()]))
            stage.spool.close()
        assert told[0] == told[1]

    async def test_it_edits_a_file_adds_one_and_uses_tokens_that_cost_nothing(self, stage: Stage) -> None:
        (stage.folder / "README.md").write_text("# A sample\n")
        result = await stage.run(SimulatedRuntime(), self.order())
        assert (result.status, result.turns) == ("success", 5)
        assert (stage.folder / "README.md").read_text().startswith("# A sample\n\n<!-- ")
        assert (stage.folder / "notes/0f3k9x2ab.md").read_text().startswith("# Add vouchers\n")
        usage = [report for report in stage.reports() if report["kind"] == "usage"]
        assert {report["costMicroUsd"] for report in usage} == {0}
        assert all(report["output"] > 0 and report["model"] == "sonnet" for report in usage)

    async def test_it_fails_when_its_label_says_so(self, stage: Stage) -> None:
        result = await stage.run(SimulatedRuntime(), self.order(fail="true"))
        assert (result.status, result.error_code) == ("failure", "agent_failed")

    @pytest.mark.parametrize(
        ("crash", "attempt", "crashed"), [("true", 2, True), ("once", 1, True), ("once", 2, False)]
    )
    async def test_it_crashes_when_its_label_says_so(
        self, stage: Stage, crash: str, attempt: int, crashed: bool
    ) -> None:
        result = await stage.run(SimulatedRuntime(), replace(self.order(crash=crash), attempt=attempt))
        assert (result.error_code == "runtime_crashed") is crashed

    async def test_it_stops_when_it_is_interrupted(self, stage: Stage) -> None:
        stage.halt.because(ENOUGH)
        result = await stage.run(SimulatedRuntime(), self.order(seconds="600"))
        assert result.status == "timeout"

    async def test_a_link_out_of_the_worktree_is_not_written_through(self, stage: Stage, tmp_path: Path) -> None:
        outside = tmp_path.parent / f"{tmp_path.name}-outside.md"
        outside.write_text("mine\n")
        (stage.folder / "README.md").symlink_to(outside)
        await stage.run(SimulatedRuntime(), self.order())
        assert outside.read_text() == "mine\n"
