"""What git and Claude Code call: one review for a commit that a person or a session made, and nothing in their way."""

import asyncio
import json
import socket
import subprocess

import pytest

from claude_code.hosts import ClaudeCode
from hubs import PROGRAMS
from scripted_api import Call, ScriptedApi, Text, Turn
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
def hooked(claude: ClaudeCode) -> ClaudeCode:
    """Somebody whose git calls the swarm after each commit."""
    hook = claude.work / ".git/hooks/post-commit"
    hook.write_text("#!/bin/sh\nswarm hook post-commit\n")
    hook.chmod(0o755)
    return claude


async def reviews(client: HubClient) -> list[Task]:
    return (await client.tasks(label="hook=post-commit")).tasks


def call(claude: ClaudeCode, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAMS / "swarm", "hook", *arguments], cwd=claude.work, env=claude.environ, input=said, capture_output=True,
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
async def test_what_no_session_says_does_nothing(claude: ClaudeCode, client: HubClient, said: str) -> None:
    assert call(claude, "post-commit", "--claude", said=said).returncode == 0
    assert call(claude, "session-start", said=said).returncode == 0
    assert await reviews(client) == []


async def test_a_session_that_commits_has_it_reviewed(api: ScriptedApi, claude: ClaudeCode, client: HubClient) -> None:
    """Also when options stand between `git` and `commit`. The session is told where the result will be."""
    api.scripts["Commit it"] = [Turn((Call("Bash", {"command": COMMIT, "description": "c"}),)), Turn((Text("Done."),))]
    await claude.headless("Commit it", "--settings", SETTINGS, "--allowedTools", "Bash")
    (task,) = await reviews(client)
    assert task.base_ref == claude.git("rev-parse", "HEAD")
    assert "The swarm reviews commit" in api.answered("Commit it")[-1].request.text


@pytest.mark.parametrize("command", ["git log -1; echo git commit", "git checkout other", "git reset --hard other"])
async def test_a_session_that_commits_nothing_has_nothing_reviewed(
    api: ScriptedApi, claude: ClaudeCode, client: HubClient, command: str
) -> None:
    claude.git("checkout", "-q", "-b", "other")
    claude.git("commit", "-q", "--allow-empty", "-m", "Mine")
    claude.git("checkout", "-q", "main")
    look = Call("Bash", {"command": command, "description": "l"})
    api.scripts["Look at it"] = [Turn((look,)), Turn((Text("Done."),))]
    await claude.headless("Look at it", "--settings", SETTINGS, "--allowedTools", "Bash")
    assert await reviews(client) == []


async def test_head_that_moved_is_a_commit_where_claude_code_does_not_say_so(
    claude: ClaudeCode, client: HubClient
) -> None:
    said = json.dumps({"cwd": str(claude.work), "tool_response": {"stdout": ""}})
    call(claude, "post-commit", "--claude", said=said)
    assert await reviews(client) == []
    claude.git("commit", "-q", "--allow-empty", "-m", "Mine")
    call(claude, "post-commit", "--claude", said=said)
    assert len(await reviews(client)) == 1


async def test_a_session_begins_with_the_tasks_of_its_repository(claude: ClaudeCode, client: HubClient) -> None:
    await client.submit({"prompt": 'Mend\nthe "parser"', "repo": str(claude.work), "hold": True})
    await client.submit({"prompt": "Elsewhere", "hold": True})
    said = call(claude, "session-start", said=json.dumps({"cwd": str(claude.work)})).stdout
    told = json.loads(said)["hookSpecificOutput"]["additionalContext"]
    assert 'pending "Mend the "parser""' in told
    assert "Elsewhere" not in told


async def test_a_session_on_a_merge_begins_with_them_too(claude: ClaudeCode, client: HubClient) -> None:
    """And a commit that it makes is one of its own."""
    claude.git("checkout", "-q", "-b", "other")
    claude.git("commit", "-q", "--allow-empty", "-m", "Other")
    claude.git("checkout", "-q", "main")
    claude.git("merge", "-q", "--no-ff", "-m", "Merge", "other")
    await client.submit({"prompt": "Mend the parser", "repo": str(claude.work), "hold": True})
    said = json.dumps({"cwd": str(claude.work), "tool_response": {"stdout": ""}})
    assert "Mend the parser" in call(claude, "session-start", said=said).stdout
    claude.git("commit", "-q", "--allow-empty", "-m", "Mine")
    call(claude, "post-commit", "--claude", said=said)
    assert len(await reviews(client)) == 1


def test_a_repository_starts_no_program_of_its_own(claude: ClaudeCode) -> None:
    """By settings that name one: git starts it to look at files, and at signatures."""
    program, trace = claude.work / "program", claude.work / "trace"
    signs = "echo '[GNUPG:] SIG_CREATED ' >&2; echo '-----BEGIN PGP SIGNATURE-----'"
    program.write_text(f"#!/bin/sh\ntouch {trace}; {signs}\n")
    program.chmod(0o755)
    for name, value in (("core.fsmonitor", program), ("gpg.program", program), ("log.showSignature", "true")):
        claude.git("config", name, str(value))
    said = json.dumps({"cwd": str(claude.work), "tool_response": {"stdout": ""}})
    call(claude, "session-start", said=said)
    claude.git("commit", "-q", "-S", "--allow-empty", "-m", "Mine")
    trace.unlink()
    assert "reviews" in call(claude, "post-commit", "--claude", said=said).stdout
    assert not trace.exists()


def test_a_session_without_tasks_is_told_nothing(claude: ClaudeCode) -> None:
    answer = call(claude, "session-start", said=json.dumps({"cwd": str(claude.work)}))
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


async def test_slash_swarm_status_runs(api: ScriptedApi, claude: ClaudeCode, client: HubClient) -> None:
    """By the file that `swarm claude install` puts there, with no question asked."""
    install = [str(PROGRAMS / "swarm"), "claude", "install"]
    environ = {**claude.environ, "PATH": f"{PROGRAMS}:/usr/bin:/bin"}
    await asyncio.to_thread(subprocess.run, install, env=environ, cwd=claude.work, check=True, capture_output=True)
    await client.submit({"prompt": "Mend the parser", "hold": True})
    api.scripts["asked of the swarm: status"] = [
        Turn((Call("mcp__swarm__swarm_status", {}),)), Turn((Text("One task waits."),)),
    ]  # fmt: skip
    assert await claude.headless("/swarm status") == "One task waits."
    assert "queue: 1 wait" in api.answered("asked of the swarm: status")[-1].request.results
