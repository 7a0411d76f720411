"""Controls over what they control: pictures and a table that follow them without running a cell again."""

import base64
import threading
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from ipywidgets import HTML, VBox, Widget  # type: ignore[import-untyped]

from swarm_api.errors import SwarmError
from swarm_notebooks.picture import Picture, one_below_another
from swarm_notebooks.tables import Table

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
PATIENCE = 0.2  # seconds after the last change until it is drawn
_NOTE = "color: var(--jp-content-font-color1, inherit); margin: 4px 0; font-size: 13px"
_ERROR = "color: var(--jp-error-color1, #c0392b); white-space: pre-wrap; margin: 4px 0"


class Shown(NamedTuple):
    """What there is to see for a selection. `note` is a sentence above it, or all there is."""

    pictures: Sequence[Picture] = ()
    table: Table | None = None
    note: str = ""


class Controls(Protocol[T_co]):
    """Widgets that make a selection together."""

    @property
    def box(self) -> Widget: ...

    def selection(self) -> T_co: ...

    def on_change(self, changed: Callable[[], None]) -> None: ...


class Panel(Generic[T]):
    """Shows `look(selection)` below its controls, and again whenever they change.

    A change is answered in a thread of its own, so that the kernel stays free. Answers that were overtaken are dropped,
    and an error is shown in the place of the pictures. A viewer without a kernel sees the first selection's pictures.
    """

    def __init__(self, controls: Controls[T], look: Callable[[T], Shown]) -> None:
        self.controls = controls
        self.shown = Shown()
        self.error: Exception | None = None
        self._look = look
        self._place = HTML()
        self._box = VBox([controls.box, self._place])
        self._lock = threading.Lock()
        self._wanted = 0
        self._timer: threading.Timer | None = None
        self._answer(0)
        self._first = self.shown
        controls.on_change(self._changed)

    @property
    def html(self) -> str:
        """What stands below the controls now."""
        return str(self._place.value)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle = dict(self._box._repr_mimebundle_())
        bundle["text/plain"] = _plain(self._first, self.error)
        if pictures := self._first.pictures:
            bundle["image/svg+xml"] = one_below_another(pictures)
            bundle["image/png"] = base64.b64encode(pictures[0].png).decode()  # for who shows no SVG
        return bundle

    def _changed(self) -> None:
        with self._lock:
            self._wanted += 1
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(PATIENCE, self._answer, [self._wanted])
            self._timer.daemon = True
            self._timer.start()

    def _answer(self, number: int) -> None:
        shown, error, html = Shown(), None, ""
        try:
            shown = self._look(self.controls.selection())
            html = _html(shown)
        except Exception as found:  # a reader sees it where the pictures would be
            error, html = found, f"<p role='alert' style='{_ERROR}'>{escape(_told(found))}</p>"
        with self._lock:
            if number == self._wanted:
                self.shown, self.error, self._place.value = shown, error, html


def _html(shown: Shown) -> str:
    note = f"<p style='{_NOTE}'>{escape(shown.note)}</p>" if shown.note else ""
    pictures = "".join(f"<div>{picture.svg}</div>" for picture in shown.pictures)
    return note + pictures + (shown.table.html() if shown.table is not None else "")


def _told(error: Exception) -> str:
    lines = [error.detail if isinstance(error, SwarmError) else f"{type(error).__name__}: {error}"]
    return "\n".join([*lines, *getattr(error, "__notes__", ())])


def _plain(shown: Shown, error: Exception | None) -> str:
    if error is not None:
        return _told(error)
    parts = [shown.note, *(f"<picture: {picture.name}>" for picture in shown.pictures)]
    return "\n".join(filter(None, [*parts, shown.table.text() if shown.table is not None else ""]))
