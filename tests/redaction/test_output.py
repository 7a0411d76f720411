"""Standard error, redacted."""

import io
import sys
import threading
import traceback
from typing import cast

import pytest

from redaction.credentials import SAID, drawn
from swarm_api.redaction import MARK, Redactor
from swarm_api.redaction_output import RedactedOutput

KNOWN = drawn(40)


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def output(written: io.StringIO) -> RedactedOutput:
    return RedactedOutput(written, Redactor([KNOWN]))


def test_a_credential_in_two_writes_is_not_written(output: RedactedOutput, written: io.StringIO) -> None:
    print(KNOWN[:20], end="", file=cast(io.StringIO, output), flush=True)
    print(KNOWN[20:], file=cast(io.StringIO, output))
    assert written.getvalue() == f"{MARK}\n"


def test_a_traceback_is_written_without_the_credential(output: RedactedOutput, written: io.StringIO) -> None:
    try:
        raise ValueError(f"cannot use {SAID['GitHub'][0]}")
    except ValueError:
        traceback.print_exc(file=cast(io.StringIO, output))
    assert written.getvalue().endswith(f"ValueError: cannot use {MARK}\n")


def test_an_error_that_nobody_caught_is_written_without_the_credential(
    output: RedactedOutput, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", output)
    sys.__excepthook__(ValueError, ValueError(KNOWN), None)
    assert written.getvalue() == f"ValueError: {MARK}\n"


def test_the_last_words_are_written_at_the_end(output: RedactedOutput, written: io.StringIO) -> None:
    output.writelines(["one\n", "two"])
    output.flush()
    assert written.getvalue() == "one\n"
    output.finish()
    assert written.getvalue() == "one\ntwo"


def test_many_threads_may_write(output: RedactedOutput, written: io.StringIO) -> None:
    writers = [threading.Thread(target=lambda: [output.write(f"{KNOWN}\n") for _ in range(200)]) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert written.getvalue() == f"{MARK}\n" * 1600


def test_all_else_is_asked_of_the_file_itself(output: RedactedOutput) -> None:
    assert not output.isatty()
