"""A panel: it follows its controls, drops what was overtaken, and shows an error where the picture would be."""

import threading
from collections.abc import Callable

from ipywidgets import Dropdown  # type: ignore[import-untyped]

from swarm_notebooks.charts import ranked
from swarm_notebooks.connection import Swarm
from swarm_notebooks.costs import spending
from swarm_notebooks.panel import Panel, Shown
from swarm_notebooks.units import DOLLARS
from waiting import until


class Choice:
    """One control."""

    def __init__(self) -> None:
        self.box = Dropdown(options=["a", "b", "c", "<b>wrong</b>"])

    def selection(self) -> str:
        return str(self.box.value)

    def on_change(self, changed: Callable[[], None]) -> None:
        self.box.observe(lambda _: changed(), names="value")


def look(choice: str) -> Shown:
    if choice.startswith("<"):
        raise ValueError(choice)
    return Shown([ranked(f"picture of {choice}", [(choice, 1.0)], DOLLARS)])


async def test_a_change_is_drawn(swarm: Swarm) -> None:
    """Of a real hub's figures, without a cell being run."""
    panel = spending(swarm)
    assert "Spend by model" in panel.html
    panel.controls.group.value = "type"  # type: ignore[attr-defined]
    await until(lambda: "Spend by type" in panel.html)


async def test_an_error_stands_in_the_place_of_the_picture() -> None:
    choice = Choice()
    panel = Panel(choice, look)
    choice.box.value = "<b>wrong</b>"
    await until(lambda: "role='alert'" in panel.html)
    assert "&lt;b&gt;wrong" in panel.html
    choice.box.value = "b"
    await until(lambda: "picture of b" in panel.html)
    assert "role='alert'" not in panel.html


async def test_an_answer_that_was_overtaken_is_dropped() -> None:
    choice, begun, go_on = Choice(), threading.Event(), threading.Event()

    def slow(value: str) -> Shown:
        if value == "b":
            begun.set()
            assert go_on.wait(20)
        return look(value)

    panel = Panel(choice, slow)
    choice.box.value = "b"
    await until(begun.is_set)
    late = next(thread for thread in threading.enumerate() if isinstance(thread, threading.Timer))
    choice.box.value = "c"
    await until(lambda: "picture of c" in panel.html)
    go_on.set()
    await until(lambda: not late.is_alive())
    assert "picture of c" in panel.html


async def test_changes_at_once_are_drawn_once() -> None:
    choice, seen = Choice(), list[str]()

    def counted(value: str) -> Shown:
        seen.append(value)
        return look(value)

    panel = Panel(choice, counted)
    for value in ("b", "c", "a", "b"):
        choice.box.value = value
    await until(lambda: "picture of b" in panel.html)
    assert seen == ["a", "b"]


def test_a_viewer_without_a_kernel_sees_all_pictures(swarm: Swarm) -> None:
    svg = spending(swarm)._repr_mimebundle_()["image/svg+xml"]
    assert "Spend by day and model" in svg
    assert 'aria-label="Spend by model"' in svg


def test_a_viewer_without_a_kernel_sees_the_first_picture() -> None:
    bundle = Panel(Choice(), look)._repr_mimebundle_()
    assert "picture of a" in bundle["image/svg+xml"]
    assert "application/vnd.jupyter.widget-view+json" in bundle
