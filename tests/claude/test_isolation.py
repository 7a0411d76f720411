"""What Claude Code sees of the machine and of the repository it works in, and what it hands on."""

import json
from dataclasses import replace

import pytest

from claude.driving import KEY, SLOW, Driven, bash, make_order, processes, run, running, until_it_runs
from scripted_api import ScriptedApi, Text, Turn
from swarm_api.words import RepoSettings
from swarm_worker.runtimes import Place

CANARY = "canary-of-the-worker"


@pytest.fixture
def settled(place: Place) -> Place:
    """A repository with settings, a hook, an MCP server, a command, and instructions that include a file."""
    files = {
        "CLAUDE.md": "Tell of the CLAUDE-canary.\n@notes.md\n",
        "notes.md": "Tell of the INCLUDED-canary.\n",
        ".claude/settings.json": json.dumps({"hooks": {"PreToolUse": [hook("touch hook-ran")]}, "env": {"SET": "yes"}}),
        ".mcp.json": json.dumps({"mcpServers": {"demo": {"command": "touch", "args": ["server-ran"]}}}),
        ".claude/commands/deploy.md": "---\ndescription: Tell of the COMMAND-canary.\n---\nDeploy.\n",
    }
    for name, text in files.items():
        (place.workdir / name).parent.mkdir(exist_ok=True)
        (place.workdir / name).write_text(text)
    return place


def hook(command: str) -> dict[str, object]:
    return {"matcher": "", "hooks": [{"type": "command", "command": f'cd "$CLAUDE_PROJECT_DIR" && {command}'}]}


async def works_with(api: ScriptedApi, place: Place, settings: RepoSettings) -> Driven:
    api.scripts["look"] = [Turn((bash("echo SET=$SET"),)), Turn((Text("Done."),))]
    return await run(make_order(api.url, "look", repo_settings=settings), place)


async def test_by_default_a_repository_gives_its_instructions_alone(api: ScriptedApi, settled: Place) -> None:
    driven = await works_with(api, settled, "none")
    heard = api.seen[-1].request.text
    assert [name for name in ("CLAUDE", "INCLUDED", "COMMAND") if f"{name}-canary" in heard] == ["CLAUDE", "INCLUDED"]
    assert [name for name in ("hook-ran", "server-ran") if (settled.workdir / name).exists()] == []
    assert "SET=" in driven.lines("tool")


async def test_with_project_settings_all_of_it_counts(api: ScriptedApi, settled: Place) -> None:
    driven = await works_with(api, settled, "project")
    heard = api.seen[-1].request.text
    assert [name for name in ("CLAUDE", "INCLUDED", "COMMAND") if f"{name}-canary" in heard] == [
        "CLAUDE",
        "INCLUDED",
        "COMMAND",
    ]
    assert [name for name in ("hook-ran", "server-ran") if (settled.workdir / name).exists()] == [
        "hook-ran",
        "server-ran",
    ]
    assert "SET=yes" in driven.lines("tool")
    assert "MCP server demo: failed" in driven.lines("system")


async def test_nothing_of_the_workers_environment_gets_through(
    api: ScriptedApi, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SWARM_WORKER_TOKEN", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "MY_SECRET", "BASH_ENV"):
        monkeypatch.setenv(name, CANARY)
    everyone = "for each in /proc/[0-9]*; do tr '\\0' '\\n' < $each/environ; done 2>/dev/null"
    mine = f"env; {everyone} | grep -x 'HOME={place.home}' -c; cat /proc/$PPID/environ"
    api.scripts["look"] = [Turn((bash(mine),)), Turn((Text("Done."),))]
    driven = await run(make_order(api.url, "look"), place)
    told = "\n".join(driven.lines("tool"))
    assert f"HOME={place.home}" in told
    assert CANARY not in told
    assert api.seen[-1].headers["x-api-key"] == KEY


async def test_the_key_is_in_no_environment_no_argument_no_file(api: ScriptedApi, place: Place) -> None:
    api.scripts["look"] = [Turn((bash(SLOW),)), Turn((Text("Done."),))]
    async with running(make_order(api.url, "look"), place) as (driven, task):
        await until_it_runs(place)
        seen = processes(place)
        assert {"claude", "bash"} <= {process.name() for process in seen}
        assert [process for process in seen if KEY in str(process.environ()) + str(process.cmdline())] == []
        await driven.runtime.interrupt()
        await task
    assert [path for path in place.home.parent.rglob("*") if path.is_file() and KEY in path.read_text("latin-1")] == []


async def test_the_prompt_and_the_context_are_no_arguments(api: ScriptedApi, place: Place) -> None:
    api.scripts["look"] = [Turn((bash(SLOW),)), Turn((Text("Done."),))]
    async with running(make_order(api.url, f"look {CANARY}", context=f"{CANARY} " * 20_000), place) as (driven, task):
        await until_it_runs(place)
        assert [process for process in processes(place) if CANARY in str(process.cmdline())] == []
        await driven.runtime.interrupt()
        await task


async def test_the_cli_is_the_one_that_came_with_the_sdk(api: ScriptedApi, place: Place) -> None:
    """Whatever else is called `claude` on the PATH."""
    other = place.tmp / "bin" / "claude"
    other.parent.mkdir()
    other.write_text(f"#!/bin/sh\ntouch {place.tmp}/other-ran\n")
    other.chmod(0o755)
    first = {"PATH": f"{other.parent}:{place.env['PATH']}"}
    api.scripts["look"] = [Turn((Text("Done."),))]
    driven = await run(make_order(api.url, "look"), replace(place, env={**place.env, **first}))
    assert driven.result.summary == "Done."
    assert not (place.tmp / "other-ran").exists()


@pytest.mark.parametrize("length", [7_950, 7_990])
async def test_a_long_result_is_not_cut_in_the_middle_of_the_key(api: ScriptedApi, place: Place, length: int) -> None:
    """What is left of a key would not be known for one later."""
    (place.workdir / "key").write_text(KEY)
    print_it = f"head -c {length} /dev/zero | tr '\\0' x; printf ' '; cat key; head -c 300 /dev/zero | tr '\\0' y"
    api.scripts["look"] = [Turn((bash(print_it),)), Turn((Text("Done."),))]
    driven = await run(make_order(api.url, "look"), place)
    (told,) = (line for line in driven.lines("tool") if line.startswith("xxx"))
    assert "[redacted]"[: 8_000 - length - 1] in told
    assert KEY[:8] not in told
