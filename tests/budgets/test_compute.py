"""What an agent's machine costs stands beside what the model costs, and a price file of one's own has the say."""

import asyncio
from pathlib import Path

import pytest

from budgets.calling import calling, says, upstream
from budgets.clock import Clock
from budgets.conftest import MONEY
from budgets.spending import spend
from hub.played import PlayedHub, Worker, played_hub
from hub.starting import CONFIG, assert_refused
from hubs import HubProcess
from prices.own import HEAD, written
from scripted_api import ScriptedApi, Usage
from swarm_executors.protocol import Observation

MACHINES = HEAD + "[machines]\nlocal = { light = 100, standard = 250.5, heavy = 1000 }\n"
MODEL = HEAD + '[[model]]\nid = "claude-sonnet-4-5"\nfamily = "sonnet"\nfrom = 2026-11-01\ninput = 7\noutput = 70\n'


async def until_gone(hub: PlayedHub, worker: Worker) -> None:
    """Its machine is seen to be gone, and paid."""
    async with asyncio.timeout(20):
        while not (await hub.client.agent(worker.agent_id)).compute_micro_usd:
            await hub.parts.scheduler.watch()


@pytest.mark.parametrize(("tier", "cost"), [("light", 60_000), ("standard", 150_300), ("heavy", 600_000)])
async def test_a_machine_costs_its_seconds_once_it_is_gone(tmp_path: Path, clock: Clock, tier: str, cost: int) -> None:
    async with played_hub(tmp_path, clock, prices=written(tmp_path, MACHINES)) as hub:
        task, worker = await hub.running(tier=tier)
        clock.wait(minutes=10)
        assert (await hub.client.agent(worker.agent_id)).compute_micro_usd == 0
        await worker.finish()
        await until_gone(hub, worker)
        agent, task = await hub.client.agent(worker.agent_id), await hub.client.task(task.id)
    assert agent.compute_micro_usd == task.compute_micro_usd == cost
    assert agent.compute_cents == task.compute_cents == round(cost / 10_000)


async def test_it_is_in_no_bill_of_the_model_and_in_no_budget(tmp_path: Path, clock: Clock) -> None:
    async with played_hub(tmp_path, clock, prices=written(tmp_path, MACHINES)) as hub:
        task, worker = await hub.running()
        await spend(worker, 3)
        clock.wait(minutes=10)
        await worker.finish()
        await until_gone(hub, worker)
        assert (await hub.client.task(task.id)).cost_cents == 3
        assert (await hub.client.budget()).daily.spent_cents == 3


async def test_a_tasks_is_the_sum_of_its_agents(tmp_path: Path, clock: Clock) -> None:
    async with played_hub(tmp_path, clock, prices=written(tmp_path, MACHINES)) as hub:
        task, first = await hub.running(maxAttempts=2, tier="light")
        clock.wait(minutes=1)
        hub.stage.ended[first.agent_id] = Observation("lost", detail="the machine went away")
        second = await hub.worker(task.id, attempt=2)
        await second.claim()
        clock.wait(minutes=2)
        await second.finish()
        await until_gone(hub, second)
        assert (await hub.client.task(task.id)).compute_micro_usd == (60 + 120) * 100


async def test_ones_own_machine_costs_nothing_unless_one_says_so(hub: PlayedHub, clock: Clock) -> None:
    task, worker = await hub.running()
    clock.wait(minutes=10)
    await worker.finish()
    await hub.client.retry((await hub.ended()).id)
    assert (await hub.client.agent(worker.agent_id)).compute_micro_usd == 0
    assert (await hub.client.task(task.id)).compute_cents == 0


async def test_a_price_of_ones_own_is_the_one_that_counts(tmp_path: Path, clock: Clock, api: ScriptedApi) -> None:
    api.scripts["Go"] = says(Usage(input=1_000, output=100))
    async with played_hub(tmp_path, clock, **MONEY, **upstream(api), prices=written(tmp_path, MODEL)) as hub:
        agent = await calling(hub)
        assert (await agent.ask("Go")).status_code == 200
        assert await agent.spent() == 1_000 * 7 + 100 * 70


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("schema = 1\n", "date"),
        (HEAD + "[machines]\nlocal = { light = -1 }\n", "light"),
        (HEAD + '[[model]]\nid = "m"\nfamily = "sonnet"\nfrom = 2026-11-01\ninput = "free"\noutput = 1\n', "input"),
        ("this is no table", "line 1"),
        (None, "own.toml"),
    ],
)
def test_a_wrong_price_file_stops_the_start_in_one_line(tmp_path: Path, text: str | None, named: str) -> None:
    path = tmp_path / "own.toml"
    if text is not None:
        path.write_text(text)
    hub = HubProcess(tmp_path, SWARM_PRICES=str(path))
    assert_refused(hub.environment, CONFIG, "SWARM_PRICES", "own.toml", named)


def test_a_price_file_is_named_by_its_whole_path(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path, SWARM_PRICES="own.toml")
    assert_refused(hub.environment, CONFIG, "SWARM_PRICES", "own.toml", "an absolute path")
