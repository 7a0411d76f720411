"""Pictures: their colours, their units, and whatever stands in a label is text."""

from datetime import date
from xml.etree import ElementTree

import pytest

from notebooks.conftest import HOSTILE
from swarm_notebooks.charts import Estimate, Measure, estimates, lines, ranked, stacked
from swarm_notebooks.look import INK, PALETTE, contrast
from swarm_notebooks.picture import Picture
from swarm_notebooks.units import DOLLARS, MINUTES

WHITE, DARK = "#ffffff", "#111111"  # JupyterLab's
DAYS = [date(2026, 10, 1), date(2026, 10, 2)]
AMOUNTS = {name: dict.fromkeys(DAYS, 1.5) for name in HOSTILE}


def drawn() -> list[Picture]:
    guesses = {name: Estimate(1, 2, 3, 4) for name in HOSTILE}
    return [
        stacked("Spend", dict(list(AMOUNTS.items())[:6]), DOLLARS),
        ranked("Spend", [(name, 1.0) for name in HOSTILE], DOLLARS),
        lines("Took", dict(list(AMOUNTS.items())[:6]), MINUTES),
        estimates("Sides", [Measure("cost", DOLLARS, guesses)]),
    ]


def texts(picture: Picture) -> list[str]:
    root = ElementTree.fromstring(picture.svg)  # noqa: S314  # our own
    return [text for node in root.iter() if (text := (node.text or "").strip())]


@pytest.mark.parametrize("page", [WHITE, DARK])
def test_text_reads_on_a_page_that_names_no_colour(page: str) -> None:
    assert contrast(INK, page) >= 4.3


@pytest.mark.parametrize("page", [WHITE, DARK])
def test_the_first_colours_stand_out_from_the_page(page: str) -> None:
    assert min(contrast(colour, page) for colour in PALETTE[:4]) >= 3


@pytest.mark.parametrize("picture", drawn(), ids=["stacked", "ranked", "lines", "estimates"])
def test_hostile_names_are_text(picture: Picture) -> None:
    """No element of theirs, no formula, nothing left out, nothing that turns a line around."""
    said = "\n".join(texts(picture))
    assert "<script" not in picture.svg.lower()
    assert "\u202e" not in said
    for name in ("<script>alert(1)</script>", "$x$", "_hidden", "two lines"):
        assert name[:20] in said


def test_a_long_name_is_cut() -> None:
    assert max(map(len, texts(ranked("Spend", [("long " * 50, 1.0)], DOLLARS)))) <= 220


@pytest.mark.parametrize("picture", drawn(), ids=["stacked", "ranked", "lines", "estimates"])
def test_an_axis_says_its_unit(picture: Picture) -> None:
    axis = picture.figure.axes[0]
    assert any(unit in axis.get_xlabel() + axis.get_ylabel() for unit in ("US dollars", "minutes"))


def test_exact_values_are_told_where_the_pointer_rests() -> None:
    picture = stacked("Spend", {"opus": {DAYS[0]: 1234.5}}, DOLLARS)
    assert "<title>Thu 01 Oct 2026\nopus: $1,234.50</title>" in picture.svg


def test_a_picture_takes_the_colour_of_its_page() -> None:
    picture = stacked("Spend", {"opus": {DAYS[0]: 1.0}}, DOLLARS)
    assert picture.svg.count(INK) == 1  # where the page has none
    assert "currentColor" in picture.svg


def test_what_has_no_colour_left_is_one_series() -> None:
    """And nothing of it is lost."""
    picture = stacked("Spend", {str(n): {DAYS[0]: 1.0} for n in range(20)}, DOLLARS)
    assert "others" in texts(picture)
    assert sum(bar.get_height() for bar in picture.figure.axes[0].patches) == 20  # type: ignore[attr-defined]


def test_a_picture_is_shown_as_svg_and_png() -> None:
    bundle = ranked("Spend", [("a", 1.0)], DOLLARS)._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert bundle["image/svg+xml"].startswith("<svg")
