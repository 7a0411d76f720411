"""The tasks somebody looks at, kept up to date by the journal."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import aclosing

from swarm_api.client import HubClient
from swarm_api.errors import HubUnreachable
from swarm_api.events import Event
from swarm_api.tasks import Task
from swarm_api.words import FINISHED
from swarm_cli.event_lines import OF_ALL
from swarm_cli.tasks import Json, as_json

_PAGE = 200
_RECENT = 50
_FEW = 8  # so many tasks are asked for one by one, more as a page
_ORDER = ("running", "pending", "failed", "cancelled", "completed")


class Board:
    """Tasks, and the agents that work on them. `seq`: the journal goes on from here.

    `partial`: the hub has older ones that are not here.
    """

    def __init__(self, tasks: Iterable[Task], seq: int, *, partial: bool = False) -> None:
        """These tasks, shown in the order given."""
        self.tasks: dict[str, Json] = {task.id: as_json(task) for task in tasks}
        self.agents: dict[str, Json] = {}
        self.partial = partial
        self._seq = seq

    @classmethod
    async def recent(cls, hub: HubClient) -> "Board":
        """The newest tasks, and those that run, however old."""
        newest = await hub.tasks(limit=_RECENT)
        running = await hub.tasks(status="running", limit=_PAGE)
        partial = newest.next_cursor is not None
        return cls([*newest.tasks, *running.tasks], newest.seq, partial=partial)

    @property
    def ended(self) -> bool:
        return all(task["status"] in FINISHED for task in self.tasks.values())

    @property
    def busy(self) -> bool:
        return any(task["status"] == "running" for task in self.tasks.values())

    def in_order(self) -> list[Json]:
        """As they were given."""
        return list(self.tasks.values())

    def most_telling(self, room: int) -> list[Json]:
        """So many of them: what runs, then what waits in its order, then what ended, the newest first.

        What waits and what ended share the room that is left.
        """
        newest_first = sorted(self.tasks.values(), key=lambda task: task["id"], reverse=True)
        running = [task for task in newest_first if task["status"] == "running"][:room]
        waiting = [task for task in reversed(newest_first) if task["status"] == "pending"]
        ended = [task for task in newest_first if task["status"] in FINISHED]
        left = room - len(running)
        waiting = waiting[: max(left - len(ended), (left + 1) // 2)]
        return [*running, *waiting, *ended[: left - len(waiting)]]

    def counts(self) -> dict[str, int]:
        """How many tasks are in each state that one is in."""
        statuses = [task["status"] for task in self.tasks.values()]
        return {status: statuses.count(status) for status in _ORDER if status in statuses}

    async def keep_up(
        self, hub: HubClient, only: Collection[str] | None, show: Callable[[Sequence[Event]], None]
    ) -> None:
        """Follow the journal: until these tasks have ended, or (None) all tasks, for ever.

        `show` gets the events, in order, after the board has taken them in.
        """
        arrived: asyncio.Queue[Event | None] = asyncio.Queue()
        reading = asyncio.create_task(self._read(hub, arrived))
        try:
            while only is None or not self.ended:
                events = await _drained(arrived, reading)
                mine = [event for event in events if only is None or _is_of(event, only)]
                await self._refresh(hub, {task_id for event in mine if (task_id := event.payload.get("taskId"))})
                show(mine)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def look_at_agents(self, hub: HubClient) -> None:
        """What the agents are at: their progress is no event. A hub that is away is followed when it is back."""
        if not self.busy:
            return
        try:
            agents = await hub.agents(active=True)
        except HubUnreachable:
            return
        self.agents = {agent.current_task: as_json(agent) for agent in agents.agents if agent.current_task}

    async def _read(self, hub: HubClient, arrived: "asyncio.Queue[Event | None]") -> None:
        try:
            async with aclosing(hub.events(after=self._seq)) as events:
                async for event in events:
                    arrived.put_nowait(event)
        finally:
            arrived.put_nowait(None)

    async def _refresh(self, hub: HubClient, task_ids: set[str]) -> None:
        if len(task_ids) > _FEW:
            page = await hub.tasks(limit=_PAGE)
            wanted = [task for task in page.tasks if task.id in task_ids]
            self.tasks.update({task.id: as_json(task) for task in wanted})
            task_ids = task_ids - {task.id for task in wanted}
        for task_id in task_ids:
            self.tasks[task_id] = as_json(await hub.task(task_id))


def _is_of(event: Event, only: Collection[str]) -> bool:
    """Whether it is an event of one of these tasks, or says what holds up all of them."""
    task_id = event.payload.get("taskId")
    return task_id in only if task_id else event.type in OF_ALL


async def _drained(arrived: "asyncio.Queue[Event | None]", reading: "asyncio.Task[None]") -> list[Event]:
    """All events that have come, once one has. Raises what ended the reading."""
    events = []
    event = await arrived.get()
    while event is not None:
        events.append(event)
        event = None if arrived.empty() else arrived.get_nowait()
    if not events:
        await reading
    return events
