"""`swarm --help`: the table of commands as a page. Nothing heavy is imported for it."""

from collections.abc import Iterator

from swarm_cli.commands import COMMANDS, SECTIONS
from swarm_cli.screen import Screen

_OPTIONS = (
    ("--url URL", "The hub to talk to (or SWARM_URL)"),
    ("--json", "The API's own JSON, after every command that reads"),
    ("--install-completion", "Complete commands and task ids in this shell"),
    ("--version", "The version"),
    ("-h, --help", "This page; `swarm COMMAND --help`: a command's own"),
)
_EXAMPLES = (
    "swarm orchestrator start --background",
    'swarm submit -p "Add a --version flag, with a test" --repo . --wait',
    "swarm submit -f tasks.yaml && swarm watch",
)


def overview(screen: Screen) -> Iterator[str]:
    """The lines of the page."""
    yield screen.paint("bold", "Many Claude coding agents side by side, each in its own git worktree.")
    yield ""
    yield f"{screen.paint('bold', 'Usage:')} swarm COMMAND [OPTIONS]"
    width = max(map(len, COMMANDS)) + 2
    for title, entries in SECTIONS.items():
        yield from _section(screen, title, [(entry.name, entry.summary) for entry in entries], width)
    yield from _section(screen, "Options", _OPTIONS, max(len(option) for option, _ in _OPTIONS) + 2)
    yield ""
    yield screen.paint("bold", "Examples")
    yield from (f"  {screen.paint('dim', '$')} {example}" for example in _EXAMPLES)


def _section(
    screen: Screen, title: str, rows: list[tuple[str, str]] | tuple[tuple[str, str], ...], width: int
) -> Iterator[str]:
    yield ""
    yield screen.paint("bold", title)
    for name, summary in rows:
        yield f"  {screen.paint('cyan', name)}{' ' * (width - len(name))}{summary}"
