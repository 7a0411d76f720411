"""Twenty agents on a budget for three, all through the gateway at once: no limit is passed, and nobody is failed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from budgets.calling import upstream
from budgets.clock import Clock
from gateway.conftest import Playing
from hub.played import PlayedHub, Worker, played_hub
from scripted_api import ScriptedApi, Text, Turn, Usage
from swarm_api.base import CENT
from swarm_api.budget import BudgetIn, Standing
from swarm_api.events import Event
from swarm_api.tasks import Task
from waiting import LOOK_AGAIN

FLEET = 20
BUDGET = 10  # cents of each task
DAY = 3 * BUDGET
USED = Usage(input=2_000, output=900)
COST = 2_000 * 3 + 900 * 15  # micro-dollars of Sonnet 4.5, a little less than what is held for such a call
CALLS = 4  # of each agent; what is left of its budget then does not cover the worst case of a fifth
SECONDS = 60.0


class Crew:
    """Plays every agent that the hub starts: once the test lets it, it makes its calls, two at a time, and ends."""

    def __init__(self, hub: PlayedHub, calls: tuple[int, ...]) -> None:
        self.begin = asyncio.Event()
        self.begin.set()
        self.begun = 0
        self.seen: list[Standing] = []
        self._hub = hub
        self._calls = calls  # of the first agent, the second …, and from the beginning again

    async def play(self) -> None:
        """Every agent of the hub, for ever."""
        spawned = self._hub.client.events(after=0, types=["agent_spawned"])
        async with asyncio.TaskGroup() as agents, aclosing(spawned):
            async for event in spawned:
                agents.create_task(self._play(event))

    async def _play(self, event: Event) -> None:
        launch = await self._hub.stage.launch_of(event.payload["agentId"])
        worker = Worker(self._hub.http, self._hub.stage, launch.agent_id, launch.token)
        order = await worker.claim()
        agent = Playing(self._hub, await self._hub.client.task(order["taskId"]), worker, order["upstream"])
        calls = self._calls[self.begun % len(self._calls)]
        self.begun += 1
        await self.begin.wait()
        if await self._all_answered(agent, calls):
            await worker.finish()
        else:
            await worker.finish(status="budget", error_code="budget_exceeded")

    async def _all_answered(self, agent: Playing, calls: int) -> bool:
        heard: list[int] = []
        for left in range(calls, 0, -2):
            answers = await asyncio.gather(*(agent.ask("Go") for _ in range(min(2, left))))
            heard += [answer.status_code for answer in answers]
            assert {*heard} <= {200, 403}, answers
            self.seen.append((await self._hub.client.budget()).daily)
        return heard == [200] * calls


@asynccontextmanager
async def playing(hub: PlayedHub, *calls: int) -> AsyncIterator[Crew]:
    """A crew at work. When it fails, the test does at once."""
    crew = Crew(hub, calls)
    async with asyncio.TaskGroup() as group:
        playing = group.create_task(crew.play())
        yield crew
        playing.cancel()


@pytest.fixture
async def fleet(tmp_path: Path, clock: Clock, api: ScriptedApi) -> AsyncIterator[PlayedHub]:
    """A hub with room for twenty agents, and money for three."""
    api.scripts["Go"] = [Turn((Text("Gone."),), USED)]
    money: dict[str, Any] = {"daily_budget_cents": DAY, "default_task_budget_cents": BUDGET}
    async with played_hub(tmp_path, clock, **money, **upstream(api), max_parallel_agents=FLEET) as hub:
        yield hub


async def submit(hub: PlayedHub) -> list[Task]:
    return await hub.client.submit_batch([{"prompt": f"Part {number}"} for number in range(FLEET)])


async def until_begun(crew: Crew, agents: int) -> None:
    async with asyncio.timeout(SECONDS):
        while crew.begun < agents:  # noqa: ASYNC110  # it is one of many who could tell
            await asyncio.sleep(LOOK_AGAIN)


async def until_still(hub: PlayedHub) -> None:
    """Until nobody runs, and whoever waits does so for money: from then on nothing changes by itself."""
    async with asyncio.timeout(SECONDS):
        while True:
            queue = await hub.client.queue()
            if queue.running == 0 and queue.pending == queue.blocked.get("budget", 0):
                return
            await asyncio.sleep(LOOK_AGAIN)


async def by_status(hub: PlayedHub) -> dict[str, int]:
    tasks = [task async for task in hub.client.all_tasks()]
    return {status: sum(task.status == status for task in tasks) for status in {task.status for task in tasks}}


async def day(hub: PlayedHub) -> Standing:
    return (await hub.client.budget()).daily


async def test_three_begin_and_the_others_wait_for_money(fleet: PlayedHub) -> None:
    async with playing(fleet, CALLS) as crew:
        crew.begin.clear()
        tasks = await submit(fleet)
        await until_begun(crew, 3)
        shown = [await fleet.client.task(task.id) for task in tasks]
        assert [task.status for task in shown] == ["running"] * 3 + ["pending"] * 17
        assert [[reason.reason for reason in task.blocked_by] for task in shown[3:]] == [["budget"]] * 17
        assert (await day(fleet)).reserved_micro_usd == DAY * CENT


async def test_at_the_end_the_day_is_under_its_limit(fleet: PlayedHub) -> None:
    async with playing(fleet, CALLS):
        await submit(fleet)
        await until_still(fleet)
    standing = await day(fleet)
    assert standing.spent_micro_usd == 3 * CALLS * COST < DAY * CENT
    assert standing.reserved_micro_usd == 0


async def test_whoever_began_was_done_and_the_others_wait(fleet: PlayedHub) -> None:
    async with playing(fleet, CALLS):
        await submit(fleet)
        await until_still(fleet)
    assert await by_status(fleet) == {"completed": 3, "pending": 17}
    waiting = [task async for task in fleet.client.all_tasks(status="pending")]
    assert {reason.reason for task in waiting for reason in task.blocked_by} == {"budget"}


async def test_a_higher_limit_lets_the_rest_run_all_at_once_to_its_end(fleet: PlayedHub) -> None:
    async with playing(fleet, CALLS) as crew:
        await submit(fleet)
        await until_still(fleet)
        crew.begin.clear()
        await fleet.client.set_budget(BudgetIn(daily_cents=FLEET * BUDGET))
        await until_begun(crew, FLEET)
        crew.begin.set()
        await until_still(fleet)
    assert await by_status(fleet) == {"completed": FLEET}
    assert (await day(fleet)).spent_micro_usd == FLEET * CALLS * COST


async def test_what_is_not_needed_lets_others_begin_and_no_limit_is_ever_passed(fleet: PlayedHub) -> None:
    """As seen after each pair of calls, by agents of which some need little."""
    async with playing(fleet, 1, 4, 2, 1, 3) as crew:
        await submit(fleet)
        await until_still(fleet)
    assert crew.begun > 3
    assert (await by_status(fleet)).keys() == {"completed", "pending"}
    assert max(seen.spent_micro_usd + seen.reserved_micro_usd for seen in crew.seen) <= DAY * CENT


async def test_twenty_that_want_all_they_can_get_get_no_more_than_the_limit(fleet: PlayedHub) -> None:
    """Each wants more than the budget of its task: it is refused there, and what it leaves is too little for others."""
    async with playing(fleet, 9) as crew:
        await submit(fleet)
        await until_still(fleet)
    assert await by_status(fleet) == {"failed": 3, "pending": 17}
    assert max(seen.spent_micro_usd for seen in crew.seen) <= DAY * CENT


async def test_whoever_wants_all_it_can_get_leaves_the_others_their_share(fleet: PlayedHub) -> None:
    async with playing(fleet, 9):
        await submit(fleet)
        await until_still(fleet)
    costs = [task.cost_micro_usd async for task in fleet.client.all_tasks(status="failed")]
    assert costs == [CALLS * COST] * 3


async def test_a_limit_that_is_lowered_under_twenty_who_run_is_not_passed(fleet: PlayedHub) -> None:
    """What was set aside for them before does not count against it: their calls are refused."""
    await fleet.client.set_budget(BudgetIn(daily_cents=FLEET * BUDGET))
    async with playing(fleet, CALLS) as crew:
        crew.begin.clear()
        await submit(fleet)
        await until_begun(crew, FLEET)
        await fleet.client.set_budget(BudgetIn(daily_cents=DAY))
        crew.begin.set()
        await until_still(fleet)
    standing = await day(fleet)
    assert DAY * CENT - 2 * COST < standing.spent_micro_usd <= DAY * CENT
    assert standing.reserved_micro_usd == 0
