"""The worker token: it opens the paths of one agent, and nothing else opens them."""

import time
from pathlib import Path

import httpx
import pytest

from hub.played import PlayedHub, Worker, played_hub
from hub.problems import assert_problem
from hub.reporting import line, numbered, texts
from swarm_hub.identity.agent_tokens import AgentTokens


async def test_the_token_of_another_agent_opens_nothing(hub: PlayedHub) -> None:
    _, mine = await hub.running()
    _, other = await hub.running()
    mine.headers = other.headers
    assert_problem(await mine.send([]), 401, "not_authenticated")
    assert_problem(await mine.post("claim", {"incarnation": "the-first-one"}), 401, "not_authenticated")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic x", "Bearer ü", "token"])
async def test_a_worker_path_takes_a_worker_token(hub: PlayedHub, header: str | None) -> None:
    _, worker = await hub.running()
    worker.headers = httpx.Headers({} if header is None else {"Authorization": header}, encoding="latin-1")
    for path in ("claim", "reports"):
        answer = await worker.post(path, {"incarnation": "the-first-one"})
        assert_problem(answer, 401, "not_authenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_for_an_agent_that_does_not_exist_is_refused_like_any_other(hub: PlayedHub) -> None:
    _, worker = await hub.running()
    answer = await hub.http.post("/worker/v1/agents/local-agent-00000000/reports", json={}, headers=worker.headers)
    assert_problem(answer, 401, "not_authenticated")


async def test_a_restarted_hub_knows_its_tokens_again(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        task, worker = await hub.running()
        await worker.report(line("before"))
    async with played_hub(tmp_path) as hub:
        again = Worker(hub.http, hub.stage, worker.agent_id, worker.token)
        assert (await again.send(numbered(1, 2))).json()["stored"] == 2
        assert await texts(hub, task.id) == ["before", "2"]


async def test_the_secret_behind_the_tokens_is_the_hubs_alone(hub: PlayedHub, tmp_path: Path) -> None:
    _, worker = await hub.running()
    secret = tmp_path / "data" / "worker.secret"
    assert (len(secret.read_bytes()), secret.stat().st_mode & 0o777) == (32, 0o600)
    opened = AgentTokens(secret.read_bytes()).open("worker", worker.token, time.time())
    assert opened is not None
    assert opened.agent_id == worker.agent_id
