"""How far an export is: a line on a terminal that is drawn again, nothing elsewhere."""

from collections.abc import Mapping
from typing import Self, TextIO

from swarm_cli.screen import Screen, fit, safe

_CLEAR = "\r\x1b[K"


class Progress:
    """Use it with `with`: the line is gone afterwards."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self._screen = Screen.of(stream, environ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def say(self, table: str, rows: int) -> None:
        self._write(fit(f"{safe(table)}: {rows:,} rows", self._screen.width - 1))

    def _write(self, line: str) -> None:
        if self._screen.cursor:
            self._stream.write(_CLEAR + self._screen.paint("dim", line))
            self._stream.flush()
