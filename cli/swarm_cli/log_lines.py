"""Log lines on the screen: who said it, and when, for people; the text alone for programs."""

from collections.abc import Iterator
from textwrap import wrap

from swarm_api.events import LogLine
from swarm_cli.screen import Screen, safe, safe_json

_STYLES = {"agent": "", "tool": "cyan", "stdout": "dim", "stderr": "yellow", "system": "dim"}
_WHO = 8  # columns for who says it
_MARGIN = 10 + _WHO  # what follows is indented so


class LogLines:
    """Turns the lines of one task into text, one after another."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._agent: str | None = None

    def of(self, line: LogLine) -> Iterator[str]:
        """What to write for a line; a heading first where another agent goes on."""
        if not self._screen.terminal:
            yield from _parts(line.text)
            return
        if self._agent not in (None, line.agent_id):
            yield self._screen.paint("bold", f"── {line.agent_id} goes on ──")
        self._agent = line.agent_id
        yield from self._told(line)

    def _told(self, line: LogLine) -> Iterator[str]:
        paint = self._screen.paint
        style = _STYLES[line.stream]
        first, *more = self._wrapped(line.text)
        who = paint(style or "bold", line.stream) + " " * (_WHO - len(line.stream))
        yield f"{paint('dim', f'{line.elapsed_ms / 1000:>7.1f}s')}  {who}{paint(style, first)}".rstrip()
        yield from (f"{' ' * _MARGIN}{paint(style, text)}" for text in more)

    def _wrapped(self, text: str) -> list[str]:
        width = max(20, self._screen.width - _MARGIN)
        return [line for part in _parts(text) for line in wrap(part, width, replace_whitespace=False) or [""]]


def _parts(text: str) -> list[str]:
    return [safe(part) for part in text.split("\n")]


def as_json(line: LogLine) -> str:
    """The API's own JSON of a line, on one line."""
    return safe_json(line.model_dump_json(by_alias=True, exclude_none=True))
