"""What becomes of text before it is stored and shown."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm_api.redaction import Redactor
from swarm_api.worker import MAX_LINE, FilesReport, LogReport, ResultReport
from swarm_worker.encoding import MAX_DATA, encode, parts
from swarm_worker.text import KEPT, LineSplitter, clean, cut, lines, scrub

REDACTOR = Redactor()
STREAM = REDACTOR.stream()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("plain\ttext ✓ naïve", "plain\ttext ✓ naïve"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("bell\x07 nul\x00 del\x7f c1\x9b", "bell� nul� del� c1�"),
        ("half a pair \ud83d", "half a pair �"),
        ("\x1b", "�"),
    ],
)
def test_control_characters_are_replaced_and_escape_sequences_removed(given: str, kept: str) -> None:
    assert clean(given) == kept


def test_a_long_line_is_cut_and_says_so() -> None:
    line = cut("x" * (MAX_LINE + 1))
    assert len(line) == MAX_LINE
    assert line.endswith(f"x … [{MAX_LINE + 1:,} characters, cut]")


def test_a_line_of_the_longest_length_stays_as_it_is() -> None:
    assert cut("x" * MAX_LINE) == "x" * MAX_LINE


@pytest.mark.parametrize(
    ("given", "kept"),
    [("", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\r\nb\rc\n\nd", ["a", "b", "c", "", "d"])],
)
def test_a_text_becomes_its_lines(given: str, kept: list[str]) -> None:
    assert lines(given, STREAM) == kept


def split(data: bytes, cuts: list[int]) -> list[str]:
    splitter, found = LineSplitter(), []
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(bounds):
        found += list(splitter.feed(data[start:end]))
    return found + list(splitter.end())


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_output_gives_the_same_lines_however_it_arrives(data: bytes, cuts: list[int]) -> None:
    assert split(data, cuts) == split(data, [])


@given(st.text(alphabet="ab\r\n", max_size=30))
def test_output_gives_the_lines_of_its_text(text: str) -> None:
    assert split(text.encode(), []) == ([] if text == "" else lines(text, STREAM))


def test_output_without_an_end_is_not_kept_in_memory() -> None:
    splitter = LineSplitter()
    for _ in range(100):
        assert list(splitter.feed(b"x" * 100_000)) == []
    (line,) = splitter.end()
    assert len(line) < KEPT + 100
    (shown,) = lines(line, STREAM)
    assert len(shown) == MAX_LINE
    assert shown.endswith("x … [10,000,000 characters, cut]")


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert split(b"caf\xe9\n", []) == ["caf�"]


def test_a_log_report_of_several_lines_becomes_several_and_the_first_has_the_data() -> None:
    first, second = parts(LogReport(stream="tool", text="one\ntwo", data={"tool": "Bash"}), {"tool": STREAM})
    assert (first.text, first.data, second.text, second.data) == ("one", {"tool": "Bash"}, "two", None)  # type: ignore[union-attr]


def test_what_json_cannot_hold_is_replaced_in_data() -> None:
    data = {"nan": float("nan"), "set": {1}, "bad\udc80": ["\ud83d\x00", None, True, 1.5, ("x", 2)]}
    assert scrub(data, REDACTOR) == {"nan": None, "set": "{1}", "bad�": ["��", None, True, 1.5, ["x", 2]]}


def test_data_that_is_too_big_is_left_out_and_says_so() -> None:
    data = {"lines": ["x" * 10_000] * 100}
    report = json.loads(encode(LogReport(stream="tool", text="read", data=data), REDACTOR))
    assert report["text"] == "read"
    assert list(report["data"]) == ["leftOut"]
    assert len(encode(LogReport(stream="tool", text="read", data=data), REDACTOR)) < MAX_DATA


def test_a_patch_is_passed_on_to_the_letter() -> None:
    patch = "+\x1b[31m\x07 tab\t cr\r" + "x" * 100_000
    assert json.loads(encode(ResultReport(status="success", patch=patch), REDACTOR))["patch"] == patch


def test_file_names_that_are_no_utf8_can_be_sent() -> None:
    paths = [b"caf\xe9.txt".decode(errors="surrogateescape")]
    assert json.loads(encode(FilesReport(paths=paths), REDACTOR))["paths"] == ["caf�.txt"]
