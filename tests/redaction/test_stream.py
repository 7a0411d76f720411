"""A text that comes in pieces is redacted as if it had come at once."""

import random
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redaction.credentials import ALNUM, SAID, drawn, pem
from swarm_api.redaction import LONG_LINE, LONGEST, MARK, Redactor

KNOWN = drawn(48)
redactor = Redactor([KNOWN])
LINES = [*(line for _, line in SAID.values()), f"x{KNOWN}x", *pem().splitlines(), "", "ordinary", "\r", "a\rb"]


def passed(chunks: Iterable[str]) -> str:
    stream = redactor.stream()
    return "".join([*map(stream.feed, chunks), stream.end()])


def cut(text: str, at: Iterable[int]) -> list[str]:
    bounds = [0, *sorted(min(each, len(text)) for each in at), len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


@pytest.mark.parametrize("shape", SAID)
def test_a_credential_is_found_wherever_it_is_cut_in_two(shape: str) -> None:
    credential, line = SAID[shape]
    for at in range(1, len(line)):
        assert credential not in passed([line[:at], line[at:]])


@given(st.lists(st.sampled_from(LINES), max_size=12), st.lists(st.integers(0, 2_000), max_size=12))
def test_pieces_give_the_same_as_the_whole(lines: list[str], at: list[int]) -> None:
    text = "\n".join(lines)
    assert passed(cut(text, at)) == redactor.text(text)


def test_a_private_key_that_comes_line_by_line_is_redacted() -> None:
    lines = [f"{line}\n" for line in pem().splitlines()]
    assert passed(lines) == redactor.text("".join(lines))


def test_a_line_is_passed_on_as_soon_as_it_has_ended() -> None:
    stream = redactor.stream()
    assert stream.feed("one\ntw") == "one\n"
    assert stream.feed("o\r") == "two\r"
    assert stream.feed("three") == ""


@pytest.mark.parametrize("size", [1, 1_000, LONG_LINE, 3_000_000])
def test_a_line_without_an_end_is_passed_on_in_pieces_and_no_secret_is_cut(size: int) -> None:
    draw = random.Random(size)  # noqa: S311
    parts = [
        "".join(draw.choices(ALNUM + " ", k=draw.randrange(4_000))) + " " for _ in range(60 if size == 1 else 1_000)
    ]
    secrets = [KNOWN, SAID["GitHub"][0], SAID["JWT"][0], SAID["Anthropic"][0]]
    text = "".join(part + draw.choice(secrets) + " " for part in parts)
    stream, shown, held = redactor.stream(), "", 0
    for start in range(0, len(text), size):
        shown += stream.feed(text[start : start + size])
        held = max(held, start + size - len(shown))
    assert len(shown) > len(text) / 2
    shown += stream.end()
    assert [secret for secret in secrets if secret[:20] in shown] == []
    assert shown.count(MARK) == len(parts)
    assert shown.replace(MARK, "") == "".join(f"{part} " for part in parts)


def test_what_is_held_back_is_bounded() -> None:
    stream, given, shown = redactor.stream(), 0, 0
    for _ in range(100):
        given += 10_000
        shown += len(stream.feed("x" * 10_000))
        assert given - shown <= LONG_LINE + 3 * LONGEST + 10_000


def test_a_token_without_an_end_is_replaced_once() -> None:
    """It is longer than what is held back, and nothing of it is passed on."""
    token = "sk-ant-" + "aB3" * 1_000_000
    shown = passed([f"before {token[:500_000]}", *cut(token[500_000:], range(0, 3_000_000, 7_777)), " after\n"])
    assert shown == f"before {MARK} after\n"
