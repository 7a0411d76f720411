"""The real thing: a hub, its worker, Claude Code, and a scripted model. Everything is asked through the hub's API."""

import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

from claude.driving import DEADLINE, KEY, SLOW, STARTED, bash, until_recorded
from hubs import HubProcess
from scripted_api import Drop, ScriptedApi, Status, Text, Turn, Usage
from swarm_api.client import HubClient
from swarm_api.events import LogLine
from swarm_api.tasks import Task
from waiting import until

USAGE = Usage(input=1000, output=50, cache_read=20, cache_write_5m=300, cache_write_1h=40)
COST = 1000 * 2 + 50 * 10 + 20 // 10 + 300 * 5 // 2 + 40 * 4  # micro-dollars of Sonnet


async def lines(client: HubClient, task: Task, stream: str) -> list[LogLine]:
    page = await client.logs(task.id, limit=1000)
    return [line for line in page.lines if line.stream == stream]


async def until_it_runs(hub: HubProcess) -> None:
    """Until the slow command runs in a worktree."""
    await until(lambda: list(hub.data_dir.glob(f"worktrees/*/{STARTED}")), DEADLINE)


def kill(hub: HubProcess, name: str) -> None:
    for pid in hub.agent_processes():
        with suppress(psutil.NoSuchProcess):
            if (process := psutil.Process(pid)).name() == name:
                process.kill()


def holding(text: str, *folders: Path) -> list[Path]:
    """The files below the folders that hold the text."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if text.encode() in path.read_bytes()]


def git(repo: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=repo, check=True, capture_output=True, text=True)
    return done.stdout.strip()


async def test_a_task_is_done(api: ScriptedApi, client: HubClient, repo: Path) -> None:
    api.scripts["Be polite"] = [
        Turn((Text("I change the greeting."), bash("sed -i s/hello/welcome/ src/app.py")), USAGE),
        Turn((bash("python3 src/app.py && git commit -qam 'Be polite' && echo kept"),), USAGE),
        Turn((Text("The greeting is polite now."),), USAGE),
    ]
    task = await client.wait((await client.submit({"prompt": "Be polite.", "repo": str(repo)})).id)
    result = task.result
    assert result is not None
    assert (task.status, result.status, result.summary, result.turns) == (
        "completed", "success", "The greeting is polite now.", 3,
    )  # fmt: skip
    assert (result.files_changed, result.additions, result.deletions) == (["src/app.py"], 1, 1)
    assert git(repo, "log", "-1", "--format=%s", result.branch or "") == "Be polite"
    assert "welcome" in git(repo, "show", f"{result.branch}:src/app.py")
    assert git(repo, "status", "--porcelain") == ""
    assert [line.text for line in await lines(client, task, "agent")] == [
        "I change the greeting.",
        "The greeting is polite now.",
    ]
    assert "kept" in [line.text for line in await lines(client, task, "tool")]


async def test_usage_and_cost_are_known(api: ScriptedApi, client: HubClient) -> None:
    api.scripts["Spend"] = [Turn((bash("true"),), USAGE), Turn((Text("Spent."),), USAGE)]
    task = await client.wait((await client.submit({"prompt": "Spend."})).id)
    used = task.usage
    assert (used.input, used.output, used.cache_read, used.cache_write_5m, used.cache_write_1h) == (
        2000, 100, 40, 600, 80,
    )  # fmt: skip
    assert task.cost_micro_usd == 2 * COST
    assert {model: spent.cost_micro_usd for model, spent in used.by_model.items()} == {"claude-sonnet-5-5": 2 * COST}
    (agent,) = (await client.agents()).agents
    assert (agent.tokens_used.input, agent.cost_micro_usd, agent.progress.last_tool) == (2000, 2 * COST, "Bash")


async def test_an_overloaded_api_and_a_dropped_stream_only_cost_time(api: ScriptedApi, client: HubClient) -> None:
    api.scripts["Persist"] = [Turn((Text("At last."),), USAGE, (Status(529), Drop()))]
    task = await client.wait((await client.submit({"prompt": "Persist."})).id)
    assert task.result is not None
    assert (task.status, task.attempts, task.result.summary) == ("completed", 1, "At last.")
    assert [seen.outcome for seen in api.seen] == ["529", "drop", "answered"]
    told = " ".join(line.text for line in await lines(client, task, "system"))
    assert "The API answered 529" in told
    assert "The answer of the API broke off" in told
    assert task.usage.input in (1000, 2000)  # what arrived of the broken answer is counted too


async def test_a_cancel_in_mid_turn_keeps_the_work_and_a_retry_goes_on_with_the_session(
    api: ScriptedApi, client: HubClient, hub: HubProcess, repo: Path
) -> None:
    command = bash(f"echo half > half.txt; {SLOW}")
    api.scripts["Take your time"] = [Turn((Text("I begin."), command), USAGE)]
    task = await client.submit({"prompt": "Take your time.", "repo": str(repo)})
    await until_it_runs(hub)
    await client.cancel(task.id)
    task = await client.wait(task.id)
    assert task.result is not None
    assert (task.status, task.result.status) == ("cancelled", "cancelled")
    await until(lambda: not hub.agent_processes())
    branch = task.result.branch or ""
    assert git(repo, "show", f"{branch}:half.txt") == "half"
    assert task.usage.input == 1000

    api.scripts["Take your time"] = [Turn((Text("I go on."), bash("rm started; cat half.txt"))), Turn((Text("Done."),))]
    await client.retry(task.id)
    task = await client.wait(task.id)
    assert task.result is not None
    assert (task.status, task.attempts, task.result.summary) == ("completed", 2, "Done.")
    assert task.result.branch == branch
    assert len({seen.request.session for seen in api.seen}) == 1
    assert "I begin." in api.seen[-1].request.text
    assert "half" in [line.text for line in await lines(client, task, "tool")]
    assert task.usage.input == 1000 + 2 * Usage().input


async def test_after_a_crash_of_the_cli_the_next_attempt_goes_on_by_itself(
    api: ScriptedApi, client: HubClient, hub: HubProcess, repo: Path
) -> None:
    api.scripts["Fall over"] = [Turn((Text("I begin."), bash(SLOW)), USAGE)]
    task = await client.submit({"prompt": "Fall over.", "repo": str(repo), "maxAttempts": 2})
    await until_it_runs(hub)
    await until_recorded(hub.data_dir, "I begin.")
    api.scripts["Fall over"] = [Turn((Text("I am back."),), USAGE)]
    kill(hub, "claude")
    task = await client.wait(task.id)
    assert task.result is not None
    assert (task.status, task.attempts, task.result.summary) == ("completed", 2, "I am back.")
    assert len({seen.request.session for seen in api.seen}) == 1
    assert (task.usage.input, task.cost_micro_usd) == (2000, 2 * COST)


async def test_a_killed_worker_takes_claude_along(
    api: ScriptedApi, client: HubClient, hub: HubProcess, repo: Path
) -> None:
    api.scripts["Fall over"] = [Turn((bash(SLOW),)), Turn((Text("Never."),))]
    task = await client.submit({"prompt": "Fall over.", "repo": str(repo)})
    await until_it_runs(hub)
    kill(hub, "swarm-worker")
    task = await client.wait(task.id)
    assert task.result is not None
    assert task.result.error is not None
    assert (task.status, task.result.error.code) == ("failed", "worker_lost")
    await until(lambda: not hub.agent_processes())
    assert len(api.seen) == 1


async def test_the_key_is_seen_nowhere_but_at_the_api(
    api: ScriptedApi, client: HubClient, hub: HubProcess, repo: Path
) -> None:
    """In no process of the agent, no line, no answer, no file, no commit: only the hub's own environment has it."""
    looks = bash("env; tr '\\0' '\\n' < /proc/$PPID/environ")
    api.scripts["Look around"] = [Turn((looks,)), Turn((bash(SLOW),))]
    task = await client.submit({"prompt": "Look around.", "repo": str(repo)})
    await until_it_runs(hub)
    seen = [psutil.Process(pid) for pid in hub.agent_processes()]
    assert {"swarm-worker", "claude", "bash"} <= {process.name() for process in seen}
    assert [process for process in seen if KEY in str(process.cmdline()) + str(process.environ())] == []
    await client.cancel(task.id)
    task = await client.wait(task.id)
    await until(lambda: not hub.agent_processes())
    assert api.seen[0].headers["x-api-key"] == KEY
    told = (await client.logs(task.id, limit=1000)).model_dump_json()
    assert "ANTHROPIC_BASE_URL" in told
    assert KEY not in told + task.model_dump_json() + hub.log.read_text()
    assert holding(KEY, hub.data_dir, repo) == []
