"""An agent's tokens: renewed in time without being written down, and good for nothing else."""

import asyncio
from pathlib import Path

import pytest

from hub.played import PlayedHub, Worker, played_hub
from hub.problems import assert_problem
from hub.reporting import line, numbered
from identity.asking import bearer, pass_time
from identity.test_secrets import written_below
from swarm_hub.identity.agent_tokens import TTL, AgentTokens, Kind, Opened
from swarm_hub.transitions import control, load_agent
from waiting import until
from worker.scripts import task
from worker.workers import carried

HALF = TTL / 2


def tokens(ack: dict[str, object]) -> list[str]:
    """The tokens among what a worker is told."""
    told = ack.get("control", [])
    assert isinstance(told, list)
    return [each["text"] for each in told if each["kind"] == "token"]


def held(worker: Worker) -> str:
    return worker.headers["authorization"].removeprefix("Bearer ")


def take(worker: Worker, token: str) -> None:
    worker.headers.update(bearer(token))


class Noting(AgentTokens):
    """Which tokens opened something."""

    def __init__(self, others: AgentTokens) -> None:
        self.seen: set[str] = set()
        self._others = others

    def issue(self, kind: Kind, agent_id: str, now: float) -> str:
        return self._others.issue(kind, agent_id, now)

    def open(self, kind: Kind, token: str, now: float) -> Opened | None:
        if opened := self._others.open(kind, token, now):
            self.seen.add(token)
        return opened


async def test_a_young_token_is_left_alone(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    pass_time(hub, HALF - 60)
    assert tokens(await worker.report(line("still young"))) == []


async def test_a_token_is_renewed_when_half_its_time_is_over(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    pass_time(hub, HALF + 1)
    (token,) = tokens(await worker.report(line("not so young")))
    assert token != held(worker)


async def test_the_new_token_works_when_the_old_one_has_ended(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    pass_time(hub, HALF + 1)
    (token,) = tokens(await worker.report())
    pass_time(hub, HALF + 1)
    assert_problem(await worker.send([]), 401, "not_authenticated")
    take(worker, token)
    assert (await worker.report(line("it goes on")))["stored"] == 1


async def test_it_is_told_until_it_is_heard_and_no_longer(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    pass_time(hub, HALF + 1)
    first, second = await worker.report(), await worker.report()
    assert (len(tokens(first)), len(tokens(second))) == (1, 1)
    take(worker, tokens(second)[0])
    assert tokens(await worker.report(seen=second["control"][-1]["c"])) == []


async def test_either_of_two_tokens_that_were_told_works(hub: PlayedHub) -> None:
    """The answer with one of them may have been lost."""
    _, worker = await hub.running()
    pass_time(hub, HALF + 1)
    told = [tokens(await worker.report())[0] for _ in range(2)]
    for token in told:
        take(worker, token)
        assert (await worker.send([])).status_code == 200


async def test_a_call_that_waits_hears_of_it_too(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    waiting = asyncio.create_task(worker.report(wait=25))
    await until(lambda: hub.parts.inboxes._waiting)
    pass_time(hub, HALF + 1)
    await hub.parts.store.write(
        lambda tx: control(tx, load_agent(tx, worker.agent_id).agent, {"kind": "message", "text": "hello"})
    )
    assert tokens(await waiting) or tokens(await worker.report(seen=1))


async def test_the_last_words_are_not_answered_with_a_token(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    pass_time(hub, HALF + 1)
    assert tokens(await worker.finish()) == []


async def test_nothing_of_a_token_is_in_the_database(hub: PlayedHub, tmp_path: Path) -> None:
    _, worker = await hub.running()
    pass_time(hub, HALF + 1)
    (token,) = tokens(await worker.report(line("in the database")))
    take(worker, token)
    await worker.report(line("this too"), seen=1)
    assert written_below(tmp_path, "in the database")
    for each in (token, held(worker)):
        assert written_below(tmp_path, each.rsplit(".", 1)[1]) == []


async def test_a_token_ends_after_a_day(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    pass_time(hub, TTL + 1)
    assert_problem(await worker.send([]), 401, "not_authenticated")


async def test_a_worker_whose_hub_was_away_for_a_night_gets_on(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        _, worker = await hub.running()
        token = held(worker)
    async with played_hub(tmp_path) as hub:
        pass_time(hub, TTL - 60)
        again = Worker(hub.http, hub.stage, worker.agent_id, token)
        answer = (await again.send(numbered(1))).json()
        assert answer["stored"] == 1
        assert len(tokens(answer)) == 1


async def test_a_token_cannot_be_given_more_time(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    agent_id, ends, signature = held(worker).split(".")
    take(worker, f"{agent_id}.{int(ends) + TTL}.{signature}")
    assert_problem(await worker.send([]), 401, "not_authenticated")


async def test_a_model_token_is_no_worker_token(hub: PlayedHub) -> None:
    """Nor the other way round: they differ in what is signed."""
    _, worker = await hub.running()
    identity = hub.parts.identity
    model = identity.agents.issue("model", worker.agent_id, identity.clock())
    paths = {"worker": f"/worker/v1/agents/{worker.agent_id}/reports", "model": "/anthropic/v1/messages"}
    met = {
        (kind, path): (await hub.post(paths[path], {}, **bearer(token))).status_code
        for kind, token in (("worker", held(worker)), ("model", model))
        for path in paths
    }
    assert met == {
        ("worker", "worker"): 200, ("worker", "model"): 401, ("model", "worker"): 401, ("model", "model"): 400,
    }  # fmt: skip


async def test_the_worker_token_is_not_in_the_work_order(hub: PlayedHub) -> None:
    """The order goes on to the runtime."""
    submitted = await hub.client.submit({"prompt": "Work"})
    worker = await hub.worker(submitted.id)
    assert held(worker).rsplit(".", 1)[1] not in str(await worker.claim())


@pytest.mark.timeout(90)
async def test_a_real_worker_takes_its_new_token(hub: PlayedHub) -> None:
    """It goes on for longer than a day, though no token lives so long."""
    noting = hub.parts.identity.agents = Noting(hub.parts.identity.agents)
    submitted = await hub.client.submit(task(None, {"echo_messages": 1}, {"echo_messages": 1}))
    agent = await hub.worker(submitted.id)

    async def tell(text: str) -> None:
        body = {"kind": "message", "text": text}
        await hub.parts.store.write(lambda tx: control(tx, load_agent(tx, agent.agent_id).agent, body))

    with carried(hub, agent.agent_id) as worker:
        await until(lambda: hub.parts.inboxes._waiting)
        pass_time(hub, HALF + 60)
        await tell("one")
        await until(lambda: len(noting.seen) > 1)
        pass_time(hub, HALF + 60)
        await tell("two")
        finished = await hub.client.wait(submitted.id)
        assert await asyncio.to_thread(worker.wait) == 0
    assert finished.status == "completed"
