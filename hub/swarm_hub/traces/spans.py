"""What a page tells, as spans: a task, its waits, its agents, and their calls to the model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from swarm_hub.traces.attributes import Attributes, of_agent, of_call, of_task
from swarm_hub.traces.context import Caller, read_traceparent, span_id, trace_id
from swarm_hub.traces.source import Page

LONGEST = 100  # characters of a code: workers say them
_ENDS = ("task_completed", "task_failed", "task_cancelled")


@dataclass(frozen=True)
class Span:
    """Times are milliseconds since the epoch. `error`: a code, where it failed; `fine`: where it is known not to.

    `outward`: a call to somebody else. `remote`: the parent is a caller's span, and not the hub's.
    """

    trace_id: int
    span_id: int
    parent_id: int | None
    name: str
    start_ms: int
    end_ms: int
    attributes: Attributes
    error: str | None = None
    fine: bool = False
    outward: bool = False
    remote: bool = False


def spans_of(page: Page) -> list[Span]:
    """Those that ended with the page, each once; none of a task whose caller records nothing."""
    told = (page.tasks[id_] for id_ in page.stories if id_ in page.tasks)
    tellers = {task.id: teller for task in told if (teller := _Teller(page, task)).sampled}
    spans = [span for teller in tellers.values() for span in teller.spans()]
    return spans + [tellers[call.task_id].call(call) for call in page.calls if call.task_id in tellers]


@dataclass
class _Run:
    """From a submission, or a retry by hand, to the end. The first one is the task's own span."""

    span_id: int
    name: str
    start_ms: int
    waits_since: int
    parent_id: int | None


@dataclass
class _Attempt:
    agent_id: str
    run: _Run
    start_ms: int
    started: bool = False

    @property
    def span_id(self) -> int:
        return span_id("agent", self.agent_id)


class _Teller:
    """Goes through the story of one task from its beginning, and tells what ended with the page."""

    def __init__(self, page: Page, task: Any) -> None:
        self._page = page
        self._task = task
        self._story = page.stories[task.id]
        self._attempts: dict[str, _Attempt] = {}
        first = self._story[0]
        header = from_json(first.payload).get("traceparent") if first.type == "task_created" else None
        self._caller: Caller | None = read_traceparent(header) if header else None
        self._root = span_id("task", self._task.id)
        parent = self._caller.span_id if self._caller else None
        self._run = _Run(self._root, f"task {self._task.type}", first.at_ms, first.at_ms, parent)
        self._about: Attributes = {"swarm.task.id": self._task.id}

    @property
    def sampled(self) -> bool:
        return self._caller is None or self._caller.sampled

    def spans(self) -> Iterator[Span]:
        for event in self._story:
            for span in self._told(event):
                if event.seq > self._page.since.seq:
                    yield span

    def _told(self, event: Any) -> Iterator[Span]:
        payload = from_json(event.payload)
        match event.type:
            case "agent_spawned":
                yield self._wait(event, payload["agentId"])
            case "task_started":
                yield from self._start(self._attempts.get(payload["agentId"]), event, None)
            case "agent_completed" | "agent_lost":
                yield from self._agent(self._attempts.get(payload["agentId"]), event, payload)
            case "task_retried":
                self._again(event, by_hand=payload["agentId"] is None)
            case type_ if type_ in _ENDS:
                yield self._end(event, payload)

    def _wait(self, event: Any, agent_id: str) -> Span:
        self._attempts[agent_id] = _Attempt(agent_id, self._run, event.at_ms)
        return self._span("wait", span_id("wait", agent_id), self._run.span_id, self._run.waits_since, event.at_ms)

    def _start(self, attempt: _Attempt | None, event: Any, error: str | None) -> Iterator[Span]:
        """From the claim until the worker has its order."""
        if attempt is None or attempt.started:
            return
        attempt.started = True
        yield self._span(
            "start", span_id("start", attempt.agent_id), attempt.span_id, attempt.start_ms, event.at_ms,
            {"swarm.agent.id": attempt.agent_id}, error=error,
        )  # fmt: skip

    def _agent(self, attempt: _Attempt | None, event: Any, payload: Mapping[str, Any]) -> Iterator[Span]:
        if attempt is None:
            return
        error = _error(payload)
        yield from self._start(attempt, event, error)
        more = of_agent(self._page.agents.get(attempt.agent_id))
        yield self._span(
            "invoke_agent", attempt.span_id, attempt.run.span_id, attempt.start_ms, event.at_ms,
            {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.id": attempt.agent_id,
             "swarm.agent.id": attempt.agent_id, "swarm.result.status": payload["status"], **more},
            error=error, fine=error is None,
        )  # fmt: skip

    def _again(self, event: Any, by_hand: bool) -> None:
        if by_hand:
            id_ = span_id("retry", f"{self._task.id} {event.seq}")
            self._run = _Run(id_, "retry", event.at_ms, event.at_ms, self._root)
        else:
            self._run.waits_since = event.at_ms

    def _end(self, event: Any, payload: Mapping[str, Any]) -> Span:
        """An end that somebody wanted is neither an error nor fine."""
        run, failed, cost = self._run, event.type == "task_failed", payload.get("costMicroUsd", 0)
        first = run.span_id == self._root
        result: Attributes = {
            "swarm.task.status": event.type.removeprefix("task_"), "swarm.result.status": payload["status"],
            "swarm.result.files_changed": len(payload.get("filesChanged", ())), "swarm.cost.micro_usd": cost,
        }  # fmt: skip
        if code := _error(payload, always=True):
            result["swarm.result.error"] = code
        return self._span(
            run.name, run.span_id, run.parent_id, run.start_ms, event.at_ms, {**of_task(self._task), **result},
            error=(code or "failed") if failed else None, fine=event.type == "task_completed",
            remote=first and self._caller is not None,
        )  # fmt: skip

    def call(self, call: Any) -> Span:
        error = None if call.status is not None and call.status < 300 else _call_error(call)
        return self._span(
            f"chat {call.model}", span_id("call", call.id), span_id("agent", call.agent_id), call.asked_ms,
            call.ended_ms, of_call(call), error=error, fine=error is None, outward=True,
        )  # fmt: skip

    def _span(
        self, name: str, id_: int, parent_id: int | None, start_ms: int, end_ms: int,
        more: Attributes | None = None, **how: Any,
    ) -> Span:  # fmt: skip
        trace = self._caller.trace_id if self._caller else trace_id(self._task.id)
        attributes = {**self._about, **(more or {})}
        if error := how.get("error"):
            attributes["error.type"] = error
        return Span(trace, id_, parent_id, name, start_ms, max(start_ms, end_ms), attributes, **how)


def _error(payload: Mapping[str, Any], always: bool = False) -> str | None:
    """The code of what went wrong; an agent that was cancelled did nothing wrong."""
    error = payload.get("error")
    if error is None or (payload["status"] == "cancelled" and not always):
        return None
    code: str = error["code"]
    return code[:LONGEST]


def _call_error(call: Any) -> str:
    return "no_answer" if call.status is None else str(call.status)
