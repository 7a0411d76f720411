"""A runtime for tests: the prompt is a script, a JSON list of steps that are done one after the other."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from swarm_api.worker import LogReport, ProgressReport, Report, ResultReport, UsageReport, WorkOrder, from_wire
from swarm_worker.runtimes import Place, RuntimeCrashed
from swarm_worker.shell import Output, run_shell

LOOK_AGAIN = 0.02
Step = dict[str, Any]


class ScriptedRuntime:
    """Each step is an object with one of the keys of `_STEPS`; with `attempt` too, it belongs to that attempt alone."""

    def __init__(self) -> None:
        self._reports: asyncio.Queue[Report | None] = asyncio.Queue()
        self._messages: asyncio.Queue[str] = asyncio.Queue()
        self._work: asyncio.Task[ResultReport] | None = None
        self._play: _Play | None = None

    async def run(self, order: WorkOrder, place: Place) -> AsyncIterator[Report]:
        self._play = _Play(order, place, self._reports.put_nowait, self._messages)
        self._work = asyncio.create_task(self._play.play())
        self._work.add_done_callback(lambda _: self._reports.put_nowait(None))
        try:
            while (report := await self._reports.get()) is not None:
                yield report
            yield self._result(self._work)
        finally:
            self._work.cancel()
            await asyncio.wait({self._work})

    async def send(self, message: str) -> None:
        self._messages.put_nowait(message)

    async def interrupt(self) -> None:
        if self._work is None or self._play is None or self._play.deaf:
            return
        if self._messages.empty():
            self._work.cancel()
        else:
            self._play.skip()

    def _result(self, work: asyncio.Task[ResultReport]) -> ResultReport:
        if work.cancelled():
            return ResultReport(status="cancelled", summary="interrupted")
        return work.result()


class _Play:
    """One run of a script."""

    def __init__(
        self, order: WorkOrder, place: Place, report: Callable[[Report], None], messages: asyncio.Queue[str]
    ) -> None:
        self.deaf = False
        self._order = order
        self._place = place
        self._report = report
        self._messages = messages
        self._step: asyncio.Future[None] | None = None
        self._skipping = False
        self._result = ResultReport(status="success", summary="done")

    async def play(self) -> ResultReport:
        for turns, step in enumerate(self._steps(), 1):
            name = next((key for key in step if key in _STEPS), None)
            if name is None:
                return self._failure(f"no such step: {step}")
            await self._do(_STEPS[name](self, step))
            self._result = replace(self._result, turns=turns)
            self._report(ProgressReport(turns=turns, last_tool=name))
            if self._result.status != "success":
                break
        return self._result

    def skip(self) -> None:
        """Leave the step that is being done."""
        if self._step:
            self._skipping = self._step.cancel()

    async def _do(self, step: Coroutine[Any, Any, None]) -> None:
        self._step = asyncio.ensure_future(step)
        try:
            await self._step
        except asyncio.CancelledError:
            if not self._skipping:
                raise
            self._skipping = False

    def _steps(self) -> list[Step]:
        try:
            steps = json.loads(self._order.prompt)
            return [step for step in steps if step.get("attempt", self._order.attempt) == self._order.attempt]
        except (ValueError, AttributeError, TypeError):
            return [{"fail": "the prompt is no JSON list of steps"}]

    def _failure(self, message: str) -> ResultReport:
        return replace(self._result, status="failure", summary="", error_code="agent_failed", error_message=message)

    async def say(self, step: Step) -> None:
        self._report(LogReport(stream="agent", text=step["say"], data=step.get("data")))

    async def recite(self, step: Step) -> None:
        """Say what is in a file, in every way there is to say something."""
        said = await asyncio.to_thread(Path(step["recite"]).read_text)
        self._report(LogReport(stream="agent", text=said, data={"said": said, said: [said]}))
        self._report(ProgressReport(last_tool=said))
        self._result = replace(self._result, summary=said)

    async def choke(self, step: Step) -> None:
        """An error of the worker's own, with what is in a file."""
        raise ValueError(await asyncio.to_thread(Path(step["choke"]).read_text))

    async def write(self, step: Step) -> None:
        name, text = step["write"]
        path = self._place.workdir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self._report(LogReport(stream="tool", text=f"Write {name}", data={"tool": "Write", "path": name}))

    async def run(self, step: Step) -> None:
        self._report(LogReport(stream="tool", text=f"$ {step['run']}", data={"tool": "Bash"}))
        code = await run_shell(step["run"], self._place, self._hear)
        self._report(LogReport(stream="tool", text=f"exit {code}", data={"exitCode": code}))

    async def commit(self, step: Step) -> None:
        await self.run({"run": f"git add -A && git commit -q -m {_quoted(step['commit'])}"})

    async def spawn_daemon(self, step: Step) -> None:
        """Something that leaves the shell's session and outlives it, as servers do."""
        leave = "leave=$(command -v setsid)"  # macOS has none; there it only leaves its parent
        command = f"{leave}; $leave sh -c {_quoted(step['spawn_daemon'])} >/dev/null 2>&1 </dev/null &"
        await run_shell(command, self._place, self._hear)

    async def sleep(self, step: Step) -> None:
        await asyncio.sleep(step["sleep"])

    async def wait_file(self, step: Step) -> None:
        path = self._place.workdir / step["wait_file"]
        while not path.exists():  # noqa: ASYNC110  # another process makes it
            await asyncio.sleep(LOOK_AGAIN)

    async def echo_messages(self, step: Step) -> None:
        """Wait for that many messages; `true` is one."""
        for _ in range(int(step["echo_messages"])):
            self._report(LogReport(stream="agent", text=f"heard: {await self._messages.get()}"))

    async def usage(self, step: Step) -> None:
        self._report(from_wire(UsageReport, {"model": self._order.model, **step["usage"]}))

    async def progress(self, step: Step) -> None:
        self._report(from_wire(ProgressReport, step["progress"]))

    async def hang(self, _step: Step) -> None:
        self.deaf = True
        await asyncio.Event().wait()

    async def crash(self, _step: Step) -> None:
        raise RuntimeCrashed("the script told it to crash")

    async def kill_worker(self, _step: Step) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    async def fail(self, step: Step) -> None:
        self._result = self._failure(str(step["fail"]))

    async def done(self, step: Step) -> None:
        self._result = replace(self._result, summary=step["done"])

    async def _hear(self, stream: Output, line: str) -> None:
        self._report(LogReport(stream=stream, text=line))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


_STEPS: Mapping[str, Callable[[_Play, Step], Coroutine[Any, Any, None]]] = {
    "say": _Play.say,
    "recite": _Play.recite,
    "choke": _Play.choke,
    "write": _Play.write,
    "run": _Play.run,
    "commit": _Play.commit,
    "spawn_daemon": _Play.spawn_daemon,
    "sleep": _Play.sleep,
    "wait_file": _Play.wait_file,
    "echo_messages": _Play.echo_messages,
    "usage": _Play.usage,
    "progress": _Play.progress,
    "hang": _Play.hang,
    "crash": _Play.crash,
    "kill_worker": _Play.kill_worker,
    "fail": _Play.fail,
    "done": _Play.done,
}
