"""What runs now, as it happens, with buttons to cancel and to retry."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from ipywidgets import HTML, Button, HBox, Layout, VBox  # type: ignore[import-untyped]

from swarm_api.client import HubClient
from swarm_api.ids import short
from swarm_notebooks import live_page
from swarm_notebooks.connection import Swarm
from swarm_notebooks.live_board import Board, Row
from swarm_notebooks.live_feed import Feed


class _Line:
    """The widgets of one task, which stay its own: a click never meets another that has moved to its place."""

    def __init__(self, task_id: str, steer: Callable[[str, str], None]) -> None:
        self.text = HTML(layout=Layout(flex="1 1 auto", min_width="0"))
        self.cancel = _button("Cancel", f"Stop {short(task_id)}; what its agent did is kept")
        self.retry = _button("Retry", f"Try {short(task_id)} again, from where it was")
        self.cancel.on_click(lambda _button: steer("cancel", task_id))
        self.retry.on_click(lambda _button: steer("retry", task_id))
        self.box = HBox([self.text, self.cancel, self.retry], layout=Layout(align_items="center"))

    def show(self, row: Row) -> None:
        """Only what differs is sent to the browser."""
        _set(self.text, "value", live_page.line(row))
        _set(self.cancel, "disabled", not row.cancellable)
        _set(self.retry, "disabled", not row.retryable)

    def close(self) -> None:
        for widget in (self.text, self.cancel, self.retry, self.box):
            widget.close()


class Live(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The tasks of a hub under way. It follows the hub until `close()`, through its restarts and renewed tokens.

    A viewer without a kernel sees a table of what there was when it was first shown.
    """

    def __init__(self, swarm: Swarm) -> None:
        self._note, self._budget, self._more = HTML(), HTML(), HTML()
        self._head = HBox([HTML(live_page.head(), layout=Layout(flex="1 1 auto", min_width="0")), _space()])
        self._feed: Feed | None
        self._lines: dict[str, _Line] = {}
        self._rows: Sequence[Row] = ()
        self._stopped, self._feed = False, None
        super().__init__([self._note, self._budget, self._head, self._more])
        self._feed = Feed(swarm.url, swarm.source, swarm.insecure, self._paint)

    def close(self) -> None:
        """Stop following. What is shown stays, without its buttons."""
        if self._stopped or self._feed is None:
            return
        self._stopped = True
        self._feed.close()
        for line in self._lines.values():
            line.cancel.disabled = line.retry.disabled = True
        self._note.value = live_page.note("stopped; run the cell again to go on")

    @property
    def cursor(self) -> int | None:
        """The newest event that was heard; none before the first look at the hub."""
        return self._feed.cursor if self._feed else None

    @property
    def html(self) -> str:
        """All rows as they stand now, in one table."""
        return live_page.table(self._rows, "The tasks as they were; run the cell to follow them.")

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return {**bundle, "text/html": self.html}

    def _steer(self, action: str, task_id: str) -> None:
        line, feed = self._lines[task_id], self._feed
        if feed is None or self._stopped:
            return
        line.cancel.disabled = line.retry.disabled = True  # until it is heard what came of it

        async def asked(client: HubClient) -> None:
            await (client.cancel(task_id) if action == "cancel" else client.retry(task_id))

        feed.do(asked, f"{action}: {short(task_id)} was asked for")

    def _paint(self, board: Board, said: str, trouble: bool) -> None:
        self._rows = board.rows(datetime.now(UTC))
        shown = {row.task.id: row for row in self._rows}
        gone = [self._lines.pop(id_) for id_ in self._lines.keys() - shown.keys()]
        for id_, row in shown.items():
            if id_ not in self._lines:
                self._lines[id_] = _Line(id_, self._steer)
            self._lines[id_].show(row)
        children = (self._note, self._budget, self._head, *(self._lines[id_].box for id_ in shown), self._more)
        _set(self, "children", children)
        for line in gone:
            line.close()
        self._tell(board, said, trouble)

    def _tell(self, board: Board, said: str, trouble: bool) -> None:
        _set(self._note, "value", live_page.note(said, bad=trouble))
        _set(self._budget, "value", live_page.note(live_page.budget_text(board.budget)))
        rest = f"and {board.left_out:,} more that run or wait" if board.left_out else ""
        _set(self._more, "value", live_page.note(rest if self._rows else "No task runs, waits or has ended yet."))


def _button(text: str, tooltip: str) -> Button:
    return Button(description=text, tooltip=tooltip, layout=Layout(width="5.5em", flex="0 0 auto"))


def _space() -> HTML:
    """As wide as the buttons of a line."""
    return HTML(layout=Layout(width="11.5em", flex="0 0 auto"))


def _set(widget: Any, name: str, value: object) -> None:
    if getattr(widget, name) != value:
        setattr(widget, name, value)
