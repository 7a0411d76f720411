"""What git and Claude Code call: one review for a commit that a person or a session made, and nothing in their way."""

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from claude_code.hosts import ClaudeCode
from hubs import ADMIN_KEY, PROGRAMS, HubProcess
from scripted_api import Call, ScriptedApi, Text, Turn, scripted_api
from swarm_api.client import HubClient
from swarm_api.tasks import Task


def hook(*arguments: str) -> dict[str, object]:
    return {"hooks": [{"type": "command", "command": f"swarm hook {' '.join(arguments)}"}]}


SETTINGS = json.dumps({
    "hooks": {
        "PostToolUse": [{"matcher": "Bash", **hook("post-commit", "--claude")}],
        "SessionStart": [hook("session-start")],
    }
})  # fmt: skip
COMMIT = "git -c user.name=Eve commit --allow-empty -m 'By the session'"
ODD = '{"cwd": ".", "tool_response": {"gitOperation": {"commit": {"sha": "--help"}}}}'


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with scripted_api() as api:
        yield api


@pytest.fixture
def person(tmp_path: Path, api: ScriptedApi, hub: HubProcess) -> ClaudeCode:
    """Tasks wait, as the hub gives out none."""
    return ClaudeCode(tmp_path, api.url, SWARM_URL=hub.url, SWARM_API_KEY=ADMIN_KEY)


@pytest.fixture
def hooked(person: ClaudeCode) -> ClaudeCode:
    """Somebody whose git calls the swarm after each commit."""
    hook = person.work / ".git/hooks/post-commit"
    hook.write_text("#!/bin/sh\nswarm hook post-commit\n")
    hook.chmod(0o755)
    return person


async def reviews(client: HubClient) -> list[Task]:
    return (await client.tasks(label="hook=post-commit")).tasks


def call(person: ClaudeCode, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAMS / "swarm", "hook", *arguments], cwd=person.work, env=person.environ, input=said, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


async def test_git_has_a_commit_reviewed(hooked: ClaudeCode, client: HubClient) -> None:
    said = hooked.git("commit", "--allow-empty", "-m", "Mine")
    (task,) = await reviews(client)
    sha = hooked.git("rev-parse", "HEAD")
    assert (task.type, task.base_ref, task.repo) == ("review", sha, str(hooked.work))
    assert f"reviews {sha[:9]}" in said


async def test_a_commit_is_reviewed_once(hooked: ClaudeCode, client: HubClient) -> None:
    hooked.git("commit", "--allow-empty", "-m", "Mine")
    assert call(hooked, "post-commit").returncode == 0
    assert len(await reviews(client)) == 1


async def test_a_commit_that_is_come_back_to_is_not_reviewed_again(hooked: ClaudeCode, client: HubClient) -> None:
    hooked.git("commit", "-q", "--allow-empty", "-m", "A")
    hooked.git("commit", "-q", "--allow-empty", "-m", "B")
    hooked.git("reset", "-q", "--hard", "HEAD~")
    call(hooked, "post-commit")
    assert len(await reviews(client)) == 2


def test_a_hub_that_says_nothing_holds_up_nobody(hooked: ClaudeCode) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        hooked.environ["SWARM_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        said = hooked.git("commit", "--allow-empty", "-m", "Mine")
    assert "it takes longer than 2 s" in said


async def test_neither_a_merge_nor_a_branch_of_the_swarms_is_reviewed(hooked: ClaudeCode, client: HubClient) -> None:
    hooked.git("checkout", "-q", "-b", "swarm/a-task")
    hooked.git("commit", "-q", "--allow-empty", "-m", "An agent's")
    hooked.git("checkout", "-q", "main")
    hooked.git("merge", "-q", "--no-ff", "-m", "Merge", "swarm/a-task")
    call(hooked, "post-commit")
    assert await reviews(client) == []


async def test_what_a_rebase_makes_is_not_reviewed(hooked: ClaudeCode, client: HubClient) -> None:
    hooked.git("checkout", "-q", "-b", "other")
    (hooked.work / "a").write_text("a")
    hooked.git("add", "a")
    hooked.git("-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "A")
    hooked.git("checkout", "-q", "main")
    hooked.git("-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", "-m", "B")
    hooked.git("rebase", "-q", "main", "other")
    assert await reviews(client) == []


async def test_an_agent_of_the_swarm_has_no_reviews_made(hooked: ClaudeCode, client: HubClient) -> None:
    hooked.environ["SWARM_AGENT"] = "local-agent-00000001"
    hooked.git("commit", "-q", "--allow-empty", "-m", "An agent's")
    assert await reviews(client) == []


def test_without_a_hub_the_commit_is_made_and_a_line_is_said(hooked: ClaudeCode) -> None:
    hooked.environ["SWARM_URL"] = "http://127.0.0.1:9"
    said = hooked.git("commit", "--allow-empty", "-m", "Mine")
    assert "swarm: no review: no hub answers" in said
    assert hooked.git("log", "-1", "--format=%s") == "Mine"


def test_a_hub_elsewhere_is_not_asked(hooked: ClaudeCode) -> None:
    hooked.environ["SWARM_URL"] = "https://hub.example"
    assert "does not see this machine's repositories" in hooked.git("commit", "--allow-empty", "-m", "Mine")


@pytest.mark.parametrize("said", ["", "{", "[]", "null", '{"cwd": 7}', '{"cwd": "/no", "tool_response": {}}', ODD])
async def test_what_no_session_says_does_nothing(person: ClaudeCode, client: HubClient, said: str) -> None:
    assert call(person, "post-commit", "--claude", said=said).returncode == 0
    assert call(person, "session-start", said=said).returncode == 0
    assert await reviews(client) == []


async def test_a_session_that_commits_has_it_reviewed(api: ScriptedApi, person: ClaudeCode, client: HubClient) -> None:
    """Also when options stand between `git` and `commit`. The session is told where the result will be."""
    api.scripts["Commit it"] = [Turn((Call("Bash", {"command": COMMIT, "description": "c"}),)), Turn((Text("Done."),))]
    await person.headless("Commit it", "--settings", SETTINGS, "--allowedTools", "Bash")
    (task,) = await reviews(client)
    assert task.base_ref == person.git("rev-parse", "HEAD")
    assert "The swarm reviews commit" in api.answered("Commit it")[-1].request.text


@pytest.mark.parametrize("command", ["git log -1; echo git commit", "git checkout other", "git reset --hard other"])
async def test_a_session_that_commits_nothing_has_nothing_reviewed(
    api: ScriptedApi, person: ClaudeCode, client: HubClient, command: str
) -> None:
    person.git("checkout", "-q", "-b", "other")
    person.git("commit", "-q", "--allow-empty", "-m", "Mine")
    person.git("checkout", "-q", "main")
    look = Call("Bash", {"command": command, "description": "l"})
    api.scripts["Look at it"] = [Turn((look,)), Turn((Text("Done."),))]
    await person.headless("Look at it", "--settings", SETTINGS, "--allowedTools", "Bash")
    assert await reviews(client) == []


async def test_head_that_moved_is_a_commit_where_claude_code_does_not_say_so(
    person: ClaudeCode, client: HubClient
) -> None:
    said = json.dumps({"cwd": str(person.work), "tool_response": {"stdout": ""}})
    call(person, "post-commit", "--claude", said=said)
    assert await reviews(client) == []
    person.git("commit", "-q", "--allow-empty", "-m", "Mine")
    call(person, "post-commit", "--claude", said=said)
    assert len(await reviews(client)) == 1


async def test_a_session_begins_with_the_tasks_of_its_repository(person: ClaudeCode, client: HubClient) -> None:
    await client.submit({"prompt": 'Mend\nthe "parser"', "repo": str(person.work), "hold": True})
    await client.submit({"prompt": "Elsewhere", "hold": True})
    said = call(person, "session-start", said=json.dumps({"cwd": str(person.work)})).stdout
    told = json.loads(said)["hookSpecificOutput"]["additionalContext"]
    assert 'pending "Mend the "parser""' in told
    assert "Elsewhere" not in told


def test_a_session_without_tasks_is_told_nothing(person: ClaudeCode) -> None:
    answer = call(person, "session-start", said=json.dumps({"cwd": str(person.work)}))
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


async def test_slash_swarm_status_runs(api: ScriptedApi, person: ClaudeCode, client: HubClient) -> None:
    """By the file that `swarm claude install` puts there, with no question asked."""
    install = [str(PROGRAMS / "swarm"), "claude", "install"]
    environ = {**person.environ, "PATH": f"{PROGRAMS}:/usr/bin:/bin"}
    await asyncio.to_thread(subprocess.run, install, env=environ, cwd=person.work, check=True, capture_output=True)
    await client.submit({"prompt": "Mend the parser", "hold": True})
    api.scripts["asked of the swarm: status"] = [
        Turn((Call("mcp__swarm__swarm_status", {}),)), Turn((Text("One task waits."),)),
    ]  # fmt: skip
    assert await person.headless("/swarm status") == "One task waits."
    assert "queue: 1 wait" in api.answered("asked of the swarm: status")[-1].request.results
