"""Claude Code on its own, without a hub: an order, a place, and the reports of the run as they come."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import psutil

from scripted_api import Call
from swarm_api.worker import (
    Limits,
    LogReport,
    ProgressReport,
    Report,
    ResultReport,
    Source,
    Upstream,
    UsageReport,
    WorkOrder,
)
from swarm_worker.runtimes import Place
from swarm_worker.runtimes.claude import ClaudeRuntime
from waiting import until

DEADLINE = 60.0  # seconds; it takes one or two, on a machine with nothing else to do
KEY = "sk-ant-the-key-of-the-test"
STARTED = "started"
SLOW = f"touch {STARTED}; until false; do sleep 0.05; done"
"""A command that says in a file that it runs, and never ends."""

T = TypeVar("T", bound=Report)


def make_place(folder: Path, **env: str) -> Place:
    """A repository with one commit, a home and a folder for temporary files, all below `folder`."""
    place = Place(folder / "work", folder / "home", folder / "tmp", {}, folder / "desk")
    for path in (place.workdir, place.home, place.tmp, place.desk):
        path.mkdir(parents=True, exist_ok=True)
    names = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
    names |= {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org"}
    base = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(place.home), "TMPDIR": str(place.tmp), **names}
    (place.workdir / "README.md").write_text("# A sample\n")
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", *command], cwd=place.workdir, env=base, check=True)
    return replace(place, env={**base, **env})


def bash(command: str) -> Call:
    return Call("Bash", {"command": command, "description": "a command"})


def make_order(url: str, prompt: str, **given: Any) -> WorkOrder:
    common: dict[str, Any] = {
        "agent_id": "local-agent-00000001", "task_id": "tsk_0000000000000001", "attempt": 1, "prompt": prompt,
        "model": "sonnet", "runtime": "claude", "source": Source(kind="scratch"), "branch": "swarm/a-task",
        "limits": Limits(timeout_seconds=60, memory_mb=1024, cpus=1),
        "upstream": Upstream(base_url=url, api_key=KEY),
    }  # fmt: skip
    return WorkOrder(**{**common, **given})


class Driven:
    """A run under way, and what it has reported so far."""

    def __init__(self) -> None:
        self.runtime = ClaudeRuntime()
        self.seen: list[Report] = []
        self._changed = asyncio.Condition()

    async def follow(self, order: WorkOrder, place: Place) -> None:
        async for report in self.runtime.run(order, place):
            async with self._changed:
                self.seen.append(report)
                self._changed.notify_all()

    async def wait_for(self, matches: Callable[[Report], bool]) -> None:
        async with asyncio.timeout(DEADLINE), self._changed:
            while not any(matches(report) for report in self.seen):
                await self._changed.wait()

    async def wait_for_usage(self) -> None:
        await self.wait_for(lambda report: isinstance(report, UsageReport))

    def of(self, kind: type[T]) -> list[T]:
        return [report for report in self.seen if isinstance(report, kind)]

    def lines(self, stream: str) -> list[str]:
        return [report.text for report in self.of(LogReport) if report.stream == stream]

    @property
    def result(self) -> ResultReport:
        (result,) = self.of(ResultReport)
        assert result is self.seen[-1]
        return result

    @property
    def session_id(self) -> str:
        return next(report.session_id for report in self.of(ProgressReport) if report.session_id)

    @property
    def used(self) -> dict[str, int]:
        """The sum of all usage reports, with `cost_micro_usd`."""
        names = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "cost_micro_usd")
        return {name: sum(getattr(report, name) for report in self.of(UsageReport)) for name in names}


@asynccontextmanager
async def running(order: WorkOrder, place: Place) -> AsyncIterator[tuple[Driven, asyncio.Task[None]]]:
    """A run, and the task that follows it; at the end it is over, one way or another."""
    driven = Driven()
    task = asyncio.create_task(driven.follow(order, place))
    try:
        yield driven, task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def run(order: WorkOrder, place: Place) -> Driven:
    """From the beginning to the end."""
    async with asyncio.timeout(DEADLINE), running(order, place) as (driven, task):
        await task
    return driven


async def until_it_runs(place: Place) -> None:
    """Until the slow command runs."""
    await until((place.workdir / STARTED).exists, DEADLINE)


async def until_recorded(homes: Path, text: str) -> None:
    """Until a session in one of the homes below a folder holds the text: the CLI writes a moment after it speaks."""
    files = "**/.claude/projects/*/*.jsonl"
    await until(lambda: any(text in path.read_text() for path in homes.glob(files)), DEADLINE)


def processes(place: Place) -> list[psutil.Process]:
    """Everything that runs with the home of the place."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("HOME") == str(place.home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def cli(place: Place) -> psutil.Process:
    return next(process for process in processes(place) if process.name() == "claude")
