"""The real Claude Code in a sandbox, with a scripted model: it works, and whatever it runs is behind the walls."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from claude.driving import KEY, SLOW, bash, until_recorded
from hubs import HubProcess
from sandbox.elsewhere import elsewhere
from sandbox.trying import Attempt, armed, lines, step
from scripted_api import ScriptedApi, Text, Turn, scripted_api
from security.tasks import git
from swarm_api.client import HubClient
from waiting import until

FOREIGN = "for each in {}; do test -e $each && echo $each; done >> seen; true"


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with scripted_api() as api:
        yield api


@pytest.fixture
def hub(_bubblewrap: None, start_hub: Callable[..., HubProcess], api: ScriptedApi) -> HubProcess:
    return start_hub(
        LOCAL_SANDBOX="bubblewrap", SWARM_RUNTIME="claude", ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=api.url
    )


async def test_a_task_is_done(api: ScriptedApi, client: HubClient, repo: Path) -> None:
    api.scripts["Be polite"] = [
        Turn((Text("I change the greeting."), bash("sed -i s/hello/welcome/ src/app.py"))),
        Turn((bash("python3 src/app.py && git add -A && git commit -qm 'Be polite' && echo kept"),)),
        Turn((Text("The greeting is polite now."),)),
    ]
    task = await client.wait((await client.submit({"prompt": "Be polite.", "repo": str(repo)})).id)
    assert task.result is not None
    assert (task.status, task.result.summary) == ("completed", "The greeting is polite now.")
    assert git(repo, "log", "-1", "--format=%s", task.result.branch or "") == "Be polite"
    assert task.result.files_changed == ["src/app.py"]
    assert api.seen[0].headers["x-api-key"] == KEY


async def test_what_it_is_told_to_reach_is_out_of_reach(
    api: ScriptedApi, client: HubClient, hub: HubProcess, repo: Path
) -> None:
    armed(repo)
    home = Path(hub.environment["HOME"])
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/id_ed25519").write_text("secret")
    attempts: list[Attempt] = [
        *(("read", str(hub.data_dir / name)) for name in ("hub.db", "hub.json", "worker.secret")),
        ("read", str(home / ".ssh/id_ed25519")), ("write", str(repo / ".git/HEAD~")), ("look_into", "/var"),
        ("connect", int(api.url.rsplit(":", 1)[1])), ("signal", hub.pid), ("become_root_of_its_own", None),
    ]  # fmt: skip
    api.scripts["Break out"] = [Turn((bash(step(attempts)["run"]),)), Turn((Text("Tried."),))]
    task = await client.wait((await client.submit({"prompt": "Break out.", "repo": str(repo)})).id)
    assert task.status == "completed"
    told = await lines(client, task, "tool")
    assert f"tried {len(attempts)}" in told
    assert [line for line in told if line.startswith("reached")] == []


async def test_hooks_and_servers_of_the_repository_are_behind_the_walls_too(
    api: ScriptedApi, client: HubClient, hub: HubProcess, repo: Path
) -> None:
    look = FOREIGN.format(f"{hub.data_dir}/hub.db {repo}/README.md {hub.data_dir}/worktrees")
    hook = {
        "matcher": "",
        "hooks": [{"type": "command", "command": f'cd "$CLAUDE_PROJECT_DIR"; echo hook >> seen; {look}'}],
    }
    server = {"command": "sh", "args": ["-c", f"echo server >> seen; {look}"]}
    (repo / ".claude").mkdir()
    (repo / ".claude/settings.json").write_text(json.dumps({"hooks": {"PreToolUse": [hook]}}))
    (repo / ".mcp.json").write_text(json.dumps({"mcpServers": {"demo": server}}))
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "Settings")
    api.scripts["Look"] = [Turn((bash("true"),)), Turn((Text("Done."),))]
    task = await client.wait(
        (await client.submit({"prompt": "Look.", "repo": str(repo), "repoSettings": "project"})).id
    )
    assert task.result is not None
    seen = git(repo, "show", f"{task.result.branch}:seen").splitlines()
    assert {"hook", "server"} <= set(seen)
    assert set(seen) - {"hook", "server"} == {f"{hub.data_dir}/worktrees"}  # where its own is


async def test_a_cancelled_session_goes_on_with_a_retry(
    api: ScriptedApi, client: HubClient, hub: HubProcess, repo: Path
) -> None:
    api.scripts["Take your time"] = [Turn((Text("I begin."), bash(f"echo half > half.txt; {SLOW}")))]
    task = await client.submit({"prompt": "Take your time.", "repo": str(repo)})
    await until(lambda: list(hub.data_dir.glob("worktrees/*/started")))
    await until_recorded(hub.data_dir, "I begin.")
    await client.cancel(task.id)
    task = await client.wait(task.id)
    await until(lambda: not hub.agent_processes())
    api.scripts["Take your time"] = [Turn((Text("I go on."), bash("cat half.txt"))), Turn((Text("Done."),))]
    await client.retry(task.id)
    task = await client.wait(task.id)
    assert (task.status, task.attempts) == ("completed", 2)
    assert len({seen.request.session for seen in api.seen}) == 1
    assert "I begin." in api.seen[-1].request.text
    assert "half" in await lines(client, task, "tool")


def said_by(pid: int) -> Iterator[tuple[str, str]]:
    """Its name, with its arguments and its environment."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        yield process.name(), str(process.cmdline()) + str(process.environ())


async def test_the_key_is_in_no_environment_and_no_argument_of_what_it_can_see(
    api: ScriptedApi, client: HubClient, hub: HubProcess, repo: Path
) -> None:
    look = (
        "for each in /proc/[0-9]*; do tr '\\0' '\\n' < $each/environ; tr '\\0' '\\n' < $each/cmdline; done 2> /dev/null"
    )
    api.scripts["Look"] = [Turn((bash(f"({look}) | sort -u; {SLOW}"),))]
    task = await client.submit({"prompt": "Look.", "repo": str(repo)})
    await until(lambda: list(hub.data_dir.glob("worktrees/*/started")))
    about = {name: text for pid in hub.agent_processes() for name, text in said_by(pid)}
    assert {"bwrap", "claude", "bash"} <= about.keys()
    assert [name for name, text in about.items() if KEY in text] == []
    await client.cancel(task.id)
    await client.wait(task.id)
    assert KEY not in "\n".join(await lines(client, task, "tool"))


@pytest.mark.usefixtures("_bubblewrap")
async def test_an_api_elsewhere_is_reached_by_the_proxy_of_the_company(
    start_hub: Callable[..., HubProcess], api: ScriptedApi, repo: Path, tmp_path: Path
) -> None:
    api.scripts["Be polite"] = [Turn((bash("env | grep -i proxy"),)), Turn((Text("Done."),))]
    async with elsewhere(api.url, tmp_path) as model:
        hub = start_hub(
            LOCAL_SANDBOX="bubblewrap", SWARM_RUNTIME="claude", ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=model.url,
            ANTHROPIC_KEY_MODE="inject", HTTPS_PROXY=model.proxy, NODE_EXTRA_CA_CERTS=str(model.authority),
        )  # fmt: skip
        async with hub.client() as client:
            task = await client.wait((await client.submit({"prompt": "Be polite.", "repo": str(repo)})).id)
            told = await lines(client, task, "tool")
    assert task.status == "completed"
    assert set(model.asked) == {"CONNECT model.test:443 HTTP/1.1"}
    assert model.proxy not in "\n".join(told)
