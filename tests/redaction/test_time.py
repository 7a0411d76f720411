"""Redaction takes time in proportion to the text, whatever somebody made it hold."""

import time

import pytest

from redaction.credentials import SAID
from swarm_api.redaction import Redactor
from swarm_api.redaction_shapes import SHAPES

SIZE, TIMES = 20_000, 10
AT_ONCE = 0.05
"""Seconds that 200,000 characters may take without being looked at: what grows with the square takes several."""
PROPORTIONAL = 3.0
"""How far from it a measurement may be: what grows with the square would be off by as much as `TIMES`."""

redactor = Redactor(["a-credential-in-use-0123456789"])
AFTER = ("", "a", "A1", " ", ": ", "=", "-", "_", ".", "\\n", '"', "@", "a" * 20, "aB3" * 7 + ".")
ANCHORS = sorted({anchor for shape in SHAPES for anchor in shape.anchors} | {"-----BEGIN ", "://a:", "Proc-Type: "})
RUNS = ("a", "A1", " ", "-", "=", "a.", "\\n", "a ", "+", '"', "://")


def seconds(text: str) -> float:
    start = time.process_time()
    redactor.text(text)
    return time.process_time() - start


def grows(unit: str, before: str = "") -> bool:
    """Whether a text that is `TIMES` as long takes much more than `TIMES` as long."""
    short, long = (before + unit * (size // len(unit)) for size in (SIZE, SIZE * TIMES))
    if seconds(long) < AT_ONCE:
        return False
    return min(seconds(long) for _ in range(3)) > PROPORTIONAL * TIMES * min(seconds(short) for _ in range(3))


@pytest.mark.parametrize("anchor", ANCHORS)
def test_what_begins_again_and_again(anchor: str) -> None:
    assert [after for after in AFTER if grows(anchor + after)] == []


@pytest.mark.parametrize("shape", SAID)
def test_what_begins_and_never_ends(shape: str) -> None:
    line = SAID[shape][1]
    begun = [line[:at] for at in range(1, len(line), max(1, len(line) // 6))]
    assert [(before, run) for before in begun for run in RUNS if grows(run, before)] == []


def test_ten_megabytes_on_one_line() -> None:
    stream = redactor.stream()
    assert stream.feed("eyJ" * 3_400_000) + stream.end() == "eyJ" * 3_400_000
