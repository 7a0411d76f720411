"""The journal's events and the log's lines."""

from typing import Any

from swarm_api.base import Answer, Timestamp
from swarm_api.words import EventType, Stream


class Event(Answer):
    """A fact. `seq` rises strictly over all events of a hub; `payload` names the task and agent it is about."""

    seq: int
    type: EventType
    payload: dict[str, Any]
    timestamp: Timestamp


class EventList(Answer):
    events: list[Event]
    next_before: int | None = None


class LogLine(Answer):
    """A line of a task's log. `seq` is 1, 2, 3 … for each task, across its agents.

    `elapsed_ms` counts from the agent's start.
    """

    seq: int
    agent_id: str
    stream: Stream
    text: str
    timestamp: Timestamp
    elapsed_ms: int
    data: dict[str, Any] | None = None


class LogPage(Answer):
    lines: list[LogLine]
    next_after: int
