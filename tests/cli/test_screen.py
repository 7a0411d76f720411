"""Text for a terminal is harmless, and as long as it may be."""

import json
import unicodedata

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarm_cli.screen import Screen, cells, first_line, fit, safe, safe_json
from swarm_cli.table import Cell, Column, lines, tabbed

# A busy machine is no failure.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCREEN = Screen(terminal=True, colour=False, width=80)
TURNED = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@unhurried
@given(
    st.text()
    | st.lists(st.sampled_from(["\x1b[", "\x1b]", "\x07", "\x9b", "\x1b\\", "31m", "a", "\u202e"])).map("".join)
)
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    left = safe(text).replace("\t", "")
    assert not any(unicodedata.category(char) == "Cc" or char in TURNED for char in left)


@unhurried
@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="".join(TURNED))))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


@unhurried
@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_means_the_same(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert json.loads(safe_json(text)) == value


@unhurried
@given(st.text().map(safe), st.integers(0, 40))
def test_a_text_is_cut_to_its_room(text: str, width: int) -> None:
    assert cells(fit(text, width)) <= width


@unhurried
@given(st.text())
def test_the_first_line_is_one_line(text: str) -> None:
    assert "\n" not in first_line(text)


@unhurried
@given(
    st.lists(st.tuples(st.text(max_size=60).map(safe), st.text(max_size=60).map(safe)), min_size=1, max_size=5),
    st.integers(30, 120),
)
def test_a_table_is_as_wide_as_its_terminal_at_most(rows: list[tuple[str, str]], width: int) -> None:
    columns = (Column("ID"), Column("FIRST", share=2), Column("SECOND", share=1), Column("N", right=True))
    cells_of = [
        (Cell("id"), Cell(first.replace("\t", " ")), Cell(second.replace("\t", " ")), Cell("1"))
        for first, second in rows
    ]
    assert max(cells(line) for line in lines(columns, cells_of, SCREEN._replace(width=width))) <= width


def test_wide_characters_count_twice() -> None:
    assert (cells("日本"), cells("e\u0301"), fit("日本語", 5)) == (4, 1, "日本…")


def test_rows_for_programs_have_no_tabs_of_their_own() -> None:
    assert list(tabbed([("a\tb", "c")])) == ["a b\tc"]
