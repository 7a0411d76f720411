"""A worker's whole life, through a real hub: from the order to the result."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from hubs import HubProcess
from swarm_api.client import HubClient
from swarm_api.tasks import Result, Task
from worker.ground import commit, git, write
from worker.scripts import script, task
from worker.waiting import is_whole_line, until

Step = dict[str, Any]


async def finished(client: HubClient, repo: Path | str | None, *steps: Step, **fields: Any) -> tuple[Task, Result]:
    async with asyncio.timeout(60):
        ended = await client.wait((await client.submit(task(repo, *steps, **fields))).id)
    assert ended.result is not None
    return ended, ended.result


def code(result: Result) -> str:
    return result.error.code if result.error else ""


def message(result: Result) -> str:
    return result.error.message if result.error else ""


async def said(client: HubClient, task_id: str, stream: str) -> list[str]:
    return [line.text for line in (await client.logs(task_id, limit=1_000)).lines if line.stream == stream]


def worktrees(hub: HubProcess) -> list[Path]:
    return [path for path in (hub.data_dir / "worktrees").glob("*") if path.is_dir()]


async def working(hub: HubProcess) -> Path:
    """The worktree of the one agent, once it has written a line into `here`."""
    await until(lambda: [path for path in worktrees(hub) if is_whole_line(path / "here")])
    return worktrees(hub)[0]


HERE: Step = {"write": ["here", "now\n"]}


async def test_the_work_is_a_branch_of_the_users_repository(hub: HubProcess, client: HubClient, repo: Path) -> None:
    ended, result = await finished(
        client, repo, {"write": ["a.txt", "A\n"]}, {"run": "echo changed > README.md"}, {"done": "said hello"}
    )
    assert ended.status == "completed"
    assert (result.summary, result.turns, result.additions, result.deletions) == ("said hello", 3, 2, 1)
    assert result.files_changed == ["README.md", "a.txt"]
    assert result.branch is not None
    assert git(repo, "rev-parse", result.branch) == result.commit
    assert git(repo, "log", "-1", "--format=%s|%an|%P", result.branch) == f"say hello|Ada|{result.base_commit}"
    assert git(repo, "status", "--porcelain") == ""
    assert worktrees(hub) == []
    assert git(repo, "worktree", "list", "--porcelain").count("worktree ") == 1


async def test_an_agent_sees_nothing_of_the_worker_or_the_hub(start_hub: Callable[..., HubProcess]) -> None:
    hub = start_hub(ANTHROPIC_API_KEY="sk-ant-canary")
    async with hub.client() as client:
        ended, _ = await finished(client, None, {"run": "env; ls -l /proc/self/fd | wc -l"})
        lines = await said(client, ended.id, "stdout")
    names = {line.partition("=")[0] for line in lines[:-1]}
    assert {name for name in names if name.startswith(("SWARM", "ANTHROPIC", "PYTHON"))} == {"SWARM_AGENT"}
    assert not any("canary" in line for line in lines)
    assert int(lines[-1]) <= 6  # standard streams, the folder that is listed, and the line "total"


async def test_the_first_reports_come_while_the_agent_works(hub: HubProcess, client: HubClient, repo: Path) -> None:
    running = await client.submit(task(repo, {"say": "started"}, {"wait_file": "go"}))
    async with asyncio.timeout(20):
        async for line in client.follow_logs(running.id):
            if line.text == "started":
                (worktrees(hub)[0] / "go").touch()
    assert (await client.wait(running.id)).status == "completed"


async def test_touched_files_are_reported_while_the_agent_works(hub: HubProcess, client: HubClient, repo: Path) -> None:
    running = await client.submit(task(repo, {"write": ["a.txt", "A\n"]}, {"wait_file": "go"}))
    async with asyncio.timeout(20):
        while not [agent for agent in (await client.agents()).agents if agent.progress.files_changed]:  # noqa: ASYNC110  # asking is all an app can do
            await asyncio.sleep(0.05)
    (worktrees(hub)[0] / "go").touch()
    assert (await client.wait(running.id)).status == "completed"


class TestVerify:
    async def test_work_that_passes_is_completed(self, client: HubClient, repo: Path) -> None:
        ended, result = await finished(
            client, repo, {"write": ["a.txt", "A\n"]}, verify="test -f a.txt && echo fine && touch by-product"
        )
        assert ended.status == "completed"
        assert result.files_changed == ["a.txt"]
        assert "fine" in await said(client, ended.id, "stdout")
        system = await said(client, ended.id, "system")
        assert "verify left what is not part of the branch: by-product" in system

    async def test_work_that_does_not_pass_is_failed_and_on_the_branch(self, client: HubClient, repo: Path) -> None:
        ended, result = await finished(client, repo, {"write": ["a.txt", "A\n"]}, verify="echo no >&2; exit 3")
        assert (ended.status, code(result)) == ("failed", "verify_failed")
        assert message(result) == "`echo no >&2; exit 3` exited with 3; its last words: no"
        assert git(repo, "show", f"{result.branch}:a.txt") == "A"

    async def test_work_that_failed_is_not_verified(self, client: HubClient, repo: Path) -> None:
        ended, result = await finished(client, repo, {"fail": "cannot"}, verify="echo never")
        assert (code(result), message(result)) == ("agent_failed", "cannot")
        assert "never" not in await said(client, ended.id, "stdout")

    async def test_it_ends_with_its_time(self, client: HubClient, repo: Path) -> None:
        ended, result = await finished(client, repo, verify="sleep 600", timeoutMinutes=0.02)
        assert (ended.status, result.status, code(result)) == ("failed", "timeout", "timeout")


class TestEndings:
    async def test_a_crash_keeps_the_work(self, client: HubClient, repo: Path) -> None:
        _, result = await finished(client, repo, {"write": ["a.txt", "A\n"]}, {"crash": True})
        assert code(result) == "runtime_crashed"
        assert git(repo, "log", "-1", "--format=%s", result.branch or "") == "wip: say hello"
        assert git(repo, "show", f"{result.branch}:a.txt") == "A"

    async def test_another_attempt_goes_on_where_the_crash_was(self, client: HubClient, repo: Path) -> None:
        ended, result = await finished(
            client, repo, {"write": ["a.txt", "A\n"], "attempt": 1}, {"crash": True, "attempt": 1},
            {"run": "cat a.txt > b.txt", "attempt": 2}, maxAttempts=2,
        )  # fmt: skip
        assert (ended.status, ended.attempts) == ("completed", 2)
        assert result.files_changed == ["a.txt", "b.txt"]

    async def test_a_killed_workers_work_is_there_for_the_next_attempt(self, client: HubClient, repo: Path) -> None:
        ended, result = await finished(
            client, repo, {"write": ["a.txt", "A\n"], "attempt": 1}, {"kill_worker": True, "attempt": 1},
            {"run": "cat a.txt > b.txt", "attempt": 2}, maxAttempts=2,
        )  # fmt: skip
        assert (ended.status, ended.attempts) == ("completed", 2)
        assert result.files_changed == ["a.txt", "b.txt"]

    async def test_time_that_is_up_keeps_the_work(self, hub: HubProcess, client: HubClient, repo: Path) -> None:
        ended, result = await finished(client, repo, {"write": ["a.txt", "A\n"]}, {"hang": True}, timeoutMinutes=0.02)
        assert (ended.status, result.status, code(result)) == ("failed", "timeout", "timeout")
        assert message(result) == "not done within 1.2 seconds; its work is on the branch"
        assert git(repo, "show", f"{result.branch}:a.txt") == "A"

    async def test_a_cancel_ends_even_what_does_not_want_to(
        self, hub: HubProcess, client: HubClient, repo: Path
    ) -> None:
        running = await client.submit(
            task(repo, {"run": "trap '' TERM INT; echo $$ > here; while :; do sleep 1; done"})
        )
        pid = int((await working(hub) / "here").read_text())
        await client.cancel(running.id)
        async with asyncio.timeout(15):
            ended = await client.wait(running.id)
        assert ended.status == "cancelled"
        await until(lambda: not psutil.pid_exists(pid) and not hub.agent_processes())
        assert ended.result is not None
        assert git(repo, "show", f"{ended.result.branch}:here") == str(pid)

    async def test_a_worker_that_is_told_to_end_keeps_the_work_and_says_so(
        self, hub: HubProcess, client: HubClient, repo: Path
    ) -> None:
        running = await client.submit(task(repo, HERE, {"hang": True}))
        await working(hub)
        lock = next((hub.data_dir / "agents").glob("*/lock"))
        os.kill(json.loads(lock.read_text())["pid"], signal.SIGTERM)
        ended = await client.wait(running.id)
        assert ended.result is not None
        assert code(ended.result) == "worker_stopped"
        assert git(repo, "show", f"{ended.result.branch}:here") == "now"

    async def test_memory_beyond_the_tier_ends_the_agent(self, client: HubClient, repo: Path) -> None:
        hog = "python3 -c 'import time; x = b\"x\" * (1200 << 20); time.sleep(600)'"
        ended, result = await finished(client, repo, {"write": ["a.txt", "A\n"]}, {"run": hog}, tier="light")
        assert (ended.status, code(result)) == ("failed", "out_of_memory")
        assert "MB; the tier allows 1,024 MB" in message(result)
        assert git(repo, "show", f"{result.branch}:a.txt") == "A"

    async def test_what_an_agent_leaves_running_is_ended(self, hub: HubProcess, client: HubClient, repo: Path) -> None:
        """Even when it has left its session and forgotten whose it is."""
        ended, _ = await finished(
            client, repo, {"spawn_daemon": "echo $$ > here; exec env -i sleep 601"}, {"wait_file": "here"}
        )
        await until(lambda: not any(process.info["cmdline"] == ["sleep", "601"] for process in every_process()))
        assert "ended what was still running: sleep" in await said(client, ended.id, "system")


def every_process() -> list[psutil.Process]:
    return list(psutil.process_iter(["cmdline"]))


class TestDelivery:
    async def test_a_patch_is_with_the_hub_and_the_branch_is_gone(self, client: HubClient, repo: Path) -> None:
        ended, _ = await finished(client, repo, {"write": ["a.txt", "A\n"]}, deliver="patch")
        assert ended.status == "completed"
        assert (await client.diff(ended.id)).startswith("diff --git a/a.txt b/a.txt\nnew file mode 100644\n")
        await until(lambda: git(repo, "branch", "--list", "swarm/*") == "")

    async def test_a_patch_of_work_that_failed_is_a_branch(self, client: HubClient, repo: Path) -> None:
        _, result = await finished(client, repo, {"write": ["a.txt", "A\n"]}, {"fail": "no"}, deliver="patch")
        assert git(repo, "show", f"{result.branch}:a.txt") == "A"

    async def test_a_task_without_a_repository_leaves_one(self, hub: HubProcess, client: HubClient) -> None:
        _, result = await finished(client, None, {"write": ["a.txt", "A\n"]})
        (folder,) = [path for path in (hub.data_dir / "scratch").iterdir() if path.is_dir()]
        assert git(folder, "show", f"{result.branch}:a.txt") == "A"
        assert (folder / "a.txt").read_text() == "A\n"

    async def test_work_on_a_url_is_pushed_when_asked_for(self, client: HubClient, repo: Path, tmp_path: Path) -> None:
        git(tmp_path, "clone", "-q", "--bare", str(repo), "origin.git")
        _, result = await finished(client, f"file://{tmp_path}/origin.git", {"write": ["a.txt", "A\n"]}, push=True)
        assert git(tmp_path / "origin.git", "show", f"{result.branch}:a.txt") == "A"

    async def test_a_push_that_fails_is_said_to_and_the_branch_is_kept(self, client: HubClient, repo: Path) -> None:
        _, result = await finished(client, repo, {"write": ["a.txt", "A\n"]}, push=True)
        assert code(result) == "push_failed"
        assert git(repo, "show", f"{result.branch}:a.txt") == "A"

    async def test_a_merge_with_conflicts_is_no_finished_work(
        self, hub: HubProcess, client: HubClient, repo: Path
    ) -> None:
        git(repo, "checkout", "-q", "-b", "other")
        commit(repo, "README.md", "theirs\n")
        git(repo, "checkout", "-q", "main")
        ended, result = await finished(
            client, repo, {"run": "echo ours > README.md; git commit -qam ours; git merge other"}
        )
        assert (code(result), message(result)) == ("delivery_failed", "conflicts were left in README.md")
        (kept,) = worktrees(hub)
        assert f"the worktree {kept} stays: conflicts were left in README.md" in await said(client, ended.id, "system")

    async def test_ignored_files_keep_the_worktree_and_the_branch_is_free(
        self, hub: HubProcess, client: HubClient, repo: Path
    ) -> None:
        _, result = await finished(client, repo, {"write": [".gitignore", "*.csv\n"]}, {"write": ["data.csv", "1\n"]})
        assert (worktrees(hub)[0] / "data.csv").read_text() == "1\n"
        git(repo, "checkout", "-q", result.branch or "")

    async def test_a_work_tree_that_git_cannot_commit_stays(
        self, hub: HubProcess, client: HubClient, repo: Path
    ) -> None:
        _, result = await finished(
            client, repo, {"write": ["a.txt", "A\n"]}, {"run": 'echo broken > "$(git rev-parse --git-path index)"'}
        )
        assert code(result) == "delivery_failed"
        (kept,) = worktrees(hub)
        assert f"stays in {kept}" in message(result)
        assert (kept / "a.txt").read_text() == "A\n"


async def test_a_hub_that_is_away_misses_nothing(hub: HubProcess, client: HubClient, repo: Path) -> None:
    """It is killed while the agent talks, and hears everything, once and in order, when it is back."""
    running = await client.submit(
        task(repo, HERE, {"run": "for n in $(seq 3000); do echo line $n; sleep 0.0005; done"}, {"wait_file": "go"})
    )
    tree = await working(hub)
    hub.kill()
    (tree / "go").touch()
    await until(lambda: not (tree / "here").exists())  # all is done, and the worker waits for its hub
    hub.start()
    async with hub.client() as again, asyncio.timeout(30):
        assert (await again.wait(running.id)).status == "completed"
        lines = [line async for line in again.follow_logs(running.id)]
    assert [line.text for line in lines if line.stream == "stdout"] == [f"line {n}" for n in range(1, 3_001)]
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))


async def test_nothing_of_a_target_repository_is_imported(
    hub: HubProcess, client: HubClient, repo: Path, tmp_path: Path
) -> None:
    """It owns folders with the names of ours, and a module that Python imports by itself."""
    spy = f"open({str(tmp_path / 'imported')!r}, 'a').write(__name__)\n"
    for name in ("sitecustomize.py", "usercustomize.py", "asyncio.py", "json.py", "ctypes.py"):
        write(repo, name, spy)
    for package in ("worker", "cli", "hub", "api", "swarm_api", "swarm_worker", "psutil"):
        write(repo, f"{package}/__init__.py", spy)
        write(repo, f"{package}/main.py", spy)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "Names")
    ended, _ = await finished(
        client, repo, {"run": "sleep 2.2; echo x > a.txt"}, {"spawn_daemon": "sleep 602"}, verify="test -f a.txt"
    )
    assert ended.status == "completed"
    assert not (tmp_path / "imported").exists()


async def test_simulated_agents_work_in_real_worktrees(start_hub: Callable[..., HubProcess], repo: Path) -> None:
    hub = start_hub(SIMULATE_MODE="true")
    async with hub.client() as client:
        submitted = await client.submit({"prompt": "Add vouchers", "repo": str(repo)})
        ended = await client.wait(submitted.id)
    assert ended.status == "completed"
    assert ended.cost_micro_usd == 0
    assert ended.usage.output > 0
    assert ended.result is not None
    assert git(repo, "rev-parse", ended.result.branch or "") == ended.result.commit


@pytest.mark.parametrize("prompt", [script(), "no script at all"])
async def test_work_that_changes_nothing_is_told_too(client: HubClient, repo: Path, prompt: str) -> None:
    async with asyncio.timeout(20):
        ended = await client.wait((await client.submit({"prompt": prompt, "repo": str(repo)})).id)
    assert ended.result is not None
    assert (ended.result.commit, ended.result.files_changed) == (ended.result.base_commit, [])


async def test_a_simulated_agent_that_failed_works_when_it_is_tried_again(
    start_hub: Callable[..., HubProcess], repo: Path
) -> None:
    hub = start_hub(SIMULATE_MODE="true")
    async with hub.client() as client, asyncio.timeout(60):
        waits = await client.submit({"prompt": "Try", "repo": str(repo), "verify": "test -e ../allowed"})
        assert (await client.wait(waits.id)).status == "failed"
        (hub.data_dir / "worktrees" / "allowed").touch()
        await client.retry(waits.id)
        again = await client.wait(waits.id)
    assert (again.status, again.attempts) == ("completed", 2)


async def test_a_simulated_crash_costs_an_attempt(start_hub: Callable[..., HubProcess], repo: Path) -> None:
    hub = start_hub(SIMULATE_MODE="true")
    async with hub.client() as client, asyncio.timeout(60):
        labels = {"simulate.crash": "once"}
        crashing = await client.submit({"prompt": "Try", "repo": str(repo), "labels": labels, "maxAttempts": 2})
        ended = await client.wait(crashing.id)
    assert (ended.status, ended.attempts) == ("completed", 2)
