"""`swarm claude install` and `uninstall`, with the real Claude Code and without it."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from claude_code.hosts import CLAUDE, ClaudeCode
from hubs import PROGRAMS

PLUGIN = Path(__file__).parents[2] / "claude-plugin"
OTHERS = b'{"theme":  "dark",\r\n "hooks": {"Stop": []},\r\n "permissions": {"allow": ["Bash(ls:*)"]}}'
SCOPES = ("user", "project")


@pytest.fixture
def person(tmp_path: Path) -> ClaudeCode:
    """Somebody who has `claude` on the PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "claude").symlink_to(CLAUDE)
    return ClaudeCode(tmp_path, "http://127.0.0.1:9", PATH=f"{programs}:{PROGRAMS}:{os.environ['PATH']}")


@pytest.fixture
def without(tmp_path: Path) -> ClaudeCode:
    """Somebody who has git and the swarm, and no `claude`."""
    return ClaudeCode(tmp_path, "http://127.0.0.1:9", PATH=f"{PROGRAMS}:/usr/bin:/bin")


def swarm(person: ClaudeCode, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAMS / "swarm", "claude", *arguments], cwd=person.work, env=person.environ, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def done(person: ClaudeCode, *arguments: str) -> None:
    answer = swarm(person, *arguments)
    assert answer.returncode == 0, answer.stderr


def installed(person: ClaudeCode) -> str:
    """Where `claude` is, if it is."""
    return shutil.which("claude", path=person.environ["PATH"]) or ""


def files(person: ClaudeCode, scope: str) -> Mapping[str, bytes]:
    """All that belongs to a scope, but what Claude Code and the swarm keep for themselves."""
    own = {"plugins", "backups", ".git", ".config"} | (
        {".claude.json"} if "/bin/claude" in installed(person) else set()
    )
    root = person.work if scope == "project" else person.home
    names = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in names.items() if not set(Path(name).parts) & own}


def settings(person: ClaudeCode, scope: str) -> Path:
    return (person.work if scope == "project" else person.home) / ".claude" / "settings.json"


@pytest.mark.parametrize("folder", ["", "plugins/swarm"])
def test_claude_code_finds_nothing_wrong_with_the_plugin(person: ClaudeCode, folder: str) -> None:
    said = person.run("plugin", "validate", "--strict", str(PLUGIN / folder))
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("scope", SCOPES)
def test_the_plugin_is_installed(person: ClaudeCode, scope: str) -> None:
    done(person, "install", "--scope", scope)
    assert "swarm@claude-swarm" in person.run("plugin", "list").stdout


@pytest.mark.parametrize("scope", SCOPES)
def test_the_bare_command_is_there(without: ClaudeCode, scope: str) -> None:
    done(without, "install", "--scope", scope)
    assert b"$ARGUMENTS" in files(without, scope)[".claude/commands/swarm.md"]


@pytest.mark.parametrize("scope", SCOPES)
def test_without_claude_the_server_is_configured(without: ClaudeCode, scope: str) -> None:
    done(without, "install", "--scope", scope)
    config = without.work / ".mcp.json" if scope == "project" else without.home / ".claude.json"
    assert json.loads(config.read_bytes())["mcpServers"]["swarm"]["args"] == ["mcp"]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("before", [None, OTHERS])
@pytest.mark.parametrize("who", ["person", "without"])
def test_uninstall_leaves_every_byte_as_it_was(
    request: pytest.FixtureRequest, who: str, scope: str, before: bytes | None
) -> None:
    person: ClaudeCode = request.getfixturevalue(who)
    if before is not None:
        settings(person, scope).parent.mkdir()
        settings(person, scope).write_bytes(before)
    was = files(person, scope)
    done(person, "install", "--scope", scope, "--hooks", "post-commit")
    assert files(person, scope) != was
    done(person, "uninstall", "--scope", scope)
    assert files(person, scope) == was


def test_settings_that_were_changed_meanwhile_stay(without: ClaudeCode) -> None:
    done(without, "install", "--hooks", "post-commit")
    file = settings(without, "user")
    file.write_text(json.dumps({**json.loads(file.read_bytes()), "theme": "light"}))
    done(without, "uninstall")
    assert json.loads(file.read_bytes()) == {"theme": "light"}


def test_a_value_that_only_looks_the_same_stays(without: ClaudeCode) -> None:
    """To Python, 1 equals True."""
    file = settings(without, "user")
    file.parent.mkdir()
    file.write_text('{"x": true}')
    done(without, "install")
    file.write_text(file.read_text().replace("true", "1", 1))
    done(without, "uninstall")
    assert json.loads(file.read_text(), parse_int=str) == {"x": "1"}


def test_an_installation_that_fails_leaves_nothing(person: ClaudeCode, tmp_path: Path) -> None:
    (tmp_path / "bin/claude").unlink()
    (tmp_path / "bin/claude").write_text(f'#!/bin/sh\n[ "$2" = install ] && exit 1\nexec {CLAUDE} "$@"\n')
    (tmp_path / "bin/claude").chmod(0o755)
    was = files(person, "user")
    assert "claude plugin install failed" in swarm(person, "install").stderr
    assert files(person, "user") == was
    assert "nothing was installed" in swarm(person, "uninstall").stderr


def test_an_installation_that_broke_off_can_be_undone(without: ClaudeCode) -> None:
    """Killed after the first file was written."""
    settings(without, "user").parent.mkdir()
    settings(without, "user").write_bytes(OTHERS)
    was = files(without, "user")
    killed = "c.apply = lambda wish, apply=c.apply: (apply(wish), os._exit(9))"
    crash = f"import os, swarm_cli.claude as c; {killed}; c.claude(['install'])"
    broken = subprocess.run(
        [PROGRAMS / "python", "-c", crash], cwd=without.work, env=without.environ, capture_output=True, check=False
    )
    assert broken.returncode == 9, broken.stderr
    assert files(without, "user") != was
    done(without, "uninstall")
    assert files(without, "user") == was


def test_a_folder_that_is_a_link_stays_one(without: ClaudeCode, tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (without.home / ".claude").symlink_to(tmp_path / "dotfiles")
    done(without, "install")
    done(without, "uninstall")
    assert (without.home / ".claude").is_symlink()
    assert list((tmp_path / "dotfiles").iterdir()) == []


def test_reviews_of_commits_are_off_by_default(without: ClaudeCode) -> None:
    done(without, "install")
    assert "PostToolUse" not in json.loads(settings(without, "user").read_bytes())["hooks"]


def test_twice_is_refused(without: ClaudeCode) -> None:
    done(without, "install")
    was = files(without, "user")
    assert "installed" in swarm(without, "install").stderr
    assert files(without, "user") == was


@pytest.mark.parametrize("broken", [b"{", b'{"hooks": []}', b"\xff{}", b"// mine\n{}", b"[" * 5000])
def test_settings_that_cannot_take_it_are_named_and_nothing_is_written(without: ClaudeCode, broken: bytes) -> None:
    settings(without, "user").parent.mkdir()
    settings(without, "user").write_bytes(broken)
    was = files(without, "user")
    answer = swarm(without, "install")
    assert answer.returncode == 1
    assert "settings.json" in answer.stderr
    assert files(without, "user") == was


def test_a_command_of_ones_own_is_not_overwritten(without: ClaudeCode) -> None:
    own = without.home / ".claude/commands/swarm.md"
    own.parent.mkdir(parents=True)
    own.write_text("Mine.")
    assert "swarm.md is there already" in swarm(without, "install").stderr
    assert own.read_text() == "Mine."


def test_a_command_that_was_there_before_stays(without: ClaudeCode) -> None:
    own = without.home / ".claude/commands/swarm.md"
    own.parent.mkdir(parents=True)
    own.write_text((PLUGIN / "plugins/swarm/skills/swarm/SKILL.md").read_text())
    done(without, "install")
    done(without, "uninstall")
    assert own.exists()


def test_a_project_is_a_repository(without: ClaudeCode, tmp_path: Path) -> None:
    answer = subprocess.run(
        [PROGRAMS / "swarm", "claude", "install", "--scope", "project"], cwd=tmp_path, env=without.environ,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "is in no git repository" in answer.stderr


def test_nothing_to_undo_is_said(without: ClaudeCode) -> None:
    assert "nothing was installed" in swarm(without, "uninstall").stderr
