"""An agent that only pretends: it calls no model and costs nothing, but says, edits and reports like one that does.

What it does follows from the task's id alone. Labels change it: `simulate.seconds` is how long it takes,
`simulate.fail: "true"` makes it fail, `simulate.crash` makes its runtime crash: `"true"` always, `"once"` in the first
attempt.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

from swarm_api.ids import short
from swarm_api.worker import LogReport, ProgressReport, Report, ResultReport, UsageReport, WorkOrder
from swarm_worker.runtimes import Place, RuntimeCrashed

SHORTEST, LONGEST = 0.3, 0.9
"""Seconds it takes when no label says how many."""
COMMENTS = {".md": "<!-- {} -->", ".py": "# {}", ".sh": "# {}", ".toml": "# {}", ".txt": "{}"}
THOUGHTS = (
    "Let me see how this repository is laid out.",
    "The change belongs in one place; the rest can stay as it is.",
    "I will keep it small and add what a reviewer needs to see.",
)


class SimulatedRuntime:
    def __init__(self) -> None:
        self._interrupted = asyncio.Event()
        self._messages: list[str] = []

    async def run(self, order: WorkOrder, place: Place) -> AsyncIterator[Report]:
        draw = Random(order.task_id)  # noqa: S311  # nosec B311  # the same task pretends the same
        acts = list(_acts(order, place, draw))
        seconds = _seconds(order, draw)
        for turns, act in enumerate(acts, 1):
            if await self._is_interrupted(seconds / len(acts)):
                yield ResultReport(status="cancelled", summary="interrupted", turns=turns - 1)
                return
            for report in (*self._heard(), *act, *_thought(order, draw, turns)):
                yield report
        crash = order.labels.get("simulate.crash")
        if crash == "true" or (crash == "once" and order.attempt == 1):
            raise RuntimeCrashed("the label simulate.crash told it to crash")
        yield _result(order, len(acts))

    async def send(self, message: str) -> None:
        self._messages.append(message)

    async def interrupt(self) -> None:
        if not self._messages:
            self._interrupted.set()

    async def _is_interrupted(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._interrupted.wait()
        return self._interrupted.is_set()

    def _heard(self) -> Iterator[Report]:
        while self._messages:
            yield LogReport(stream="agent", text=f"Understood: {self._messages.pop(0)}")


def _seconds(order: WorkOrder, draw: Random) -> float:
    own = draw.uniform(SHORTEST, LONGEST)
    try:
        return max(0.0, float(order.labels["simulate.seconds"]))
    except (KeyError, ValueError):
        return own


def _acts(order: WorkOrder, place: Place, draw: Random) -> Iterator[Iterator[Report]]:
    """What it does in each of its turns; an act happens when it is looked at."""
    wish = order.prompt.strip().splitlines()[0] if order.prompt.strip() else "the task"
    yield _look(place)
    yield iter([LogReport(stream="agent", text=f"{draw.choice(THOUGHTS)} Asked for: {wish}")])
    yield _edit(order, place, draw)
    yield _add(order, place, wish)
    yield iter([LogReport(stream="agent", text="Done. Please look it over.")])


def _look(place: Place) -> Iterator[Report]:
    names = sorted(path.name for path in place.workdir.iterdir() if path.name != ".git")
    yield _tool("Glob", "*", f"{len(names)} entries: {', '.join(names[:8])}")


def _edit(order: WorkOrder, place: Place, draw: Random) -> Iterator[Report]:
    """A line at the end of one of the repository's own files, as a comment."""
    files = sorted(path for path in place.workdir.iterdir() if path.suffix in COMMENTS and _is_plain(path))
    if not files:
        return
    path = draw.choice(files)
    line = COMMENTS[path.suffix].format(f"Looked over for {short(order.task_id)}.")
    with path.open("a") as file:
        file.write(f"\n{line}\n")
    yield _tool("Edit", path.name, "1 line added")


def _is_plain(path: Path) -> bool:
    """A link may lead out of the worktree."""
    return path.is_file() and not path.is_symlink()


def _add(order: WorkOrder, place: Place, wish: str) -> Iterator[Report]:
    path = place.workdir / "notes" / f"{short(order.task_id)}.md"
    if path.parent.is_symlink():  # as for plain files
        return
    with suppress(OSError):  # the repository may have a file named `notes`
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"# {wish}\n\nA simulated agent worked on this. No model was asked and nothing was spent.\n")
        yield _tool("Write", f"notes/{path.name}", "3 lines")


def _tool(name: str, argument: str, outcome: str) -> Report:
    return LogReport(stream="tool", text=f"{name} {argument}: {outcome}", data={"tool": name, "input": argument})


def _thought(order: WorkOrder, draw: Random, turns: int) -> Iterator[Report]:
    """What one turn of a model would have used."""
    yield UsageReport(
        model=order.model,
        input=draw.randint(5, 40),
        output=draw.randint(60, 400),
        cache_read=4_000 + 1_500 * turns,
        cache_write_5m=draw.randint(300, 1_500),
    )
    yield ProgressReport(turns=turns)


def _result(order: WorkOrder, turns: int) -> ResultReport:
    if order.labels.get("simulate.fail") == "true":
        message = "the label simulate.fail told it to fail"
        return ResultReport(status="failure", error_code="agent_failed", error_message=message, turns=turns)
    return ResultReport(status="success", summary="Added a note and looked one file over (simulated).", turns=turns)
