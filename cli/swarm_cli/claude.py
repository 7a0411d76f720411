"""`swarm claude`: put the swarm into Claude Code, and take it out again."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import typer

import swarm_cli
from swarm_api.git_root import git_root
from swarm_cli.claude_files import Original, Record, Wish, apply, planned, undo
from swarm_cli.faults import Fault
from swarm_cli.json_text import END
from swarm_cli.options import group
from swarm_cli.screen import safe, write

Scope = Literal["user", "project"]
Which = Annotated[Scope, typer.Option("--scope", help="For all your work, or for the repository you are in.")]

_PLUGIN, _MARKETPLACE = "swarm@claude-swarm", "claude-swarm"
_SERVER = {"type": "stdio", "command": "swarm", "args": ["mcp"], "timeout": 3_600_000}
_AT_START = {"hooks": [{"type": "command", "command": "swarm hook session-start", "timeout": 5}]}
_AFTER_COMMIT = {
    "matcher": "Bash", "hooks": [{"type": "command", "command": "swarm hook post-commit --claude", "timeout": 10}],
}  # fmt: skip

claude = group("claude", help="Put the swarm into Claude Code, and take it out again.", no_args_is_help=True)


class _Place(NamedTuple):
    """Where a scope's files are. `base` names it in the record."""

    scope: Scope
    base: Path
    claude: Path
    servers: Path

    @property
    def command(self) -> Path:
        return self.claude / "commands" / "swarm.md"

    @property
    def settings(self) -> Path:
        return self.claude / "settings.json"


@claude.command()
def install(
    scope: Which = "user",
    hooks: Annotated[
        Literal["post-commit"] | None,
        typer.Option("--hooks", help="post-commit: the swarm reviews each commit that Claude Code makes."),
    ] = None,
) -> None:
    """Put `/swarm`, the swarm's tools and its hooks in place. Other settings stay as they are, to the byte."""
    place, record, program = _place(scope, os.environ), Record(os.environ), shutil.which("claude")
    if record.of(place.base) is not None:
        raise Fault(f"it is installed for {place.base} already", hint=f"swarm claude uninstall --scope {scope}")
    wishes = _wishes(place, has_plugin=program is not None, post_commit=bool(hooks))
    _check_command(place)
    files = [Original(file) for file in dict.fromkeys((place.settings, *(wish.file for wish in wishes)))]
    done: dict[str, Any] = {
        "plugin": program is not None,
        "files": [file.noted() for file in files],
        "folders": [str(folder) for folder in (place.claude, place.command.parent) if not folder.exists()],
        "command": None if place.command.exists() else _command(),
        "made": [planned(wish) for wish in wishes],
    }
    record.note(place.base, done)  # first: what is half done when the power fails can be undone too
    if program is not None:
        _with_plugin(program, place, record, done)
    if done["command"] is not None:
        place.command.parent.mkdir(parents=True, exist_ok=True)
        place.command.write_text(done["command"])
    for wish in wishes:
        apply(wish)
    write(f"/swarm is there for {place.base}: " + ("with the plugin." if program else f"with {place.servers}."))
    if shutil.which("swarm") is None:
        write("`swarm` is not on your PATH: Claude Code will not find it.")


@claude.command()
def uninstall(scope: Which = "user") -> None:
    """Undo what `install` did. What you changed since stays."""
    place, record = _place(scope, os.environ), Record(os.environ)
    done = record.of(place.base)
    if done is None:
        raise Fault(f"nothing was installed for {place.base}", hint="swarm claude uninstall --scope user|project")
    left = [reason for made in reversed(done["made"]) if (reason := undo(made))]
    if done["plugin"]:
        left += _without_plugin(scope)
    for noted in done["files"]:
        Original.restore(noted)
    left += _without_command(place.command, done)
    record.note(place.base, None)
    for reason in left:
        write(f"left: {safe(reason)}")
    write(f"/swarm is gone from {place.base}.")


def _place(scope: Scope, environ: Mapping[str, str]) -> _Place:
    """Raises a `Fault` outside of a repository, for a project."""
    if scope == "project":
        if (root := git_root(Path.cwd())) is None:
            raise Fault(f"{Path.cwd()} is in no git repository", hint="--scope user")
        return _Place(scope, root, root / ".claude", root / ".mcp.json")
    home = Path(environ.get("HOME") or Path.home())
    if own := environ.get("CLAUDE_CONFIG_DIR"):
        return _Place(scope, Path(own), Path(own), Path(own) / ".claude.json")
    return _Place(scope, home / ".claude", home / ".claude", home / ".claude.json")


def _wishes(place: _Place, *, has_plugin: bool, post_commit: bool) -> Sequence[Wish]:
    wishes = []
    if not has_plugin:
        wishes.append(Wish(place.servers, ("mcpServers", "swarm"), _SERVER))
        wishes.append(Wish(place.settings, ("hooks", "SessionStart", END), _AT_START))
    if post_commit:
        wishes.append(Wish(place.settings, ("hooks", "PostToolUse", END), _AFTER_COMMIT))
    return wishes


def _shipped() -> Path:
    """The marketplace of this version: inside the installed package, or at the top of a checkout."""
    package = Path(swarm_cli.__file__).parent
    inside = package / "claude-plugin"
    return inside if inside.is_dir() else package.parents[1] / "claude-plugin"


def _command() -> str:
    """The plugin's own skill: as a file in `commands` it is `/swarm`, without the plugin's name before it."""
    return (_shipped() / "plugins/swarm/skills/swarm/SKILL.md").read_text()


def _check_command(place: _Place) -> None:
    if place.command.exists() and place.command.read_text() != _command():
        raise Fault(f"{place.command} is there already, and is something else", hint="move it away")


def _without_command(command: Path, done: Mapping[str, Any]) -> list[str]:
    """Also the folders that were made for it, if nothing else is in them by now."""
    if done["command"] is None:  # it was there before
        return []
    if command.exists() and command.read_text() != done["command"]:
        return [f"{command}: it is not what was put there"]
    command.unlink(missing_ok=True)
    for folder in map(Path, reversed(done["folders"])):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return []


def _with_plugin(program: str, place: _Place, record: Record, done: Mapping[str, Any]) -> None:
    """Raises a `Fault`, and then all is as it was."""
    try:
        _claude(program, "marketplace", "add", str(_shipped()), "--scope", place.scope)
        _claude(program, "install", _PLUGIN, "--scope", place.scope)
    except Fault:
        _without_plugin(place.scope)
        for noted in done["files"]:
            Original.restore(noted)
        record.note(place.base, None)
        raise


def _without_plugin(scope: Scope) -> list[str]:
    if (program := shutil.which("claude")) is None:
        return [f"the plugin: without `claude` it cannot be removed; claude plugin uninstall {_PLUGIN}"]
    reasons = []
    for command in (("uninstall", _PLUGIN), ("marketplace", "remove", _MARKETPLACE)):
        try:
            _claude(program, *command, "--scope", scope)
        except Fault as fault:
            reasons.append(fault.message)
    return reasons


def _claude(program: str, *arguments: str) -> None:
    """Raises a `Fault` with what it says."""
    done = subprocess.run([program, "plugin", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = safe(" ".join((done.stderr or done.stdout).split()))
        raise Fault(f"claude plugin {arguments[0]} failed: {said}", hint="claude plugin list")
