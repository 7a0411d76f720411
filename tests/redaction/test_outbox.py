"""What a worker reports is redacted before it is cut, and before anything of it reaches the disk."""

import json
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from redaction.credentials import SAID, drawn, pem
from swarm_api.redaction import LONGEST, MARK, Redactor
from swarm_api.worker import MAX_LINE, FilesReport, LogReport, ProgressReport, Report, ResultReport
from swarm_worker.outbox import Outbox
from swarm_worker.runtimes import Place
from swarm_worker.shell import run_shell
from swarm_worker.spool import Spool
from swarm_worker.text import LineSplitter

KEY = "sk-ant-api03-" + drawn(95)
TOKEN = drawn(44)
GITHUB = SAID["GitHub"][0]


class Kept:
    """An outbox, and what it keeps on the disk."""

    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder / "spool")
        self.outbox = Outbox(self.spool, Redactor([KEY, TOKEN]))

    def put(self, *reports: Report) -> list[dict[str, Any]]:
        for report in reports:
            self.outbox.put(report)
        return self.reports

    @property
    def reports(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.outbox.batch(10_000, 1 << 30)]

    @property
    def texts(self) -> list[str]:
        return [report["text"] for report in self.reports]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path)
    yield kept
    kept.spool.close()


@pytest.mark.parametrize("secret", [KEY, TOKEN, GITHUB])
@pytest.mark.parametrize("stream", ["agent", "tool", "stdout", "stderr", "system"])
def test_no_stream_of_the_log_keeps_a_credential(kept: Kept, stream: Any, secret: str) -> None:
    data = {"input": {"content": [f"is {secret}", 1], secret: True}}
    (report,) = kept.put(LogReport(stream=stream, text=f"it is {secret}", data=data))
    assert report["text"] == f"it is {MARK}"
    assert report["data"] == {"input": {"content": [f"is {MARK}", 1], MARK: True}}


@pytest.mark.parametrize("secret", [KEY, TOKEN, GITHUB])
def test_no_other_report_keeps_a_credential(kept: Kept, secret: str) -> None:
    kept.put(
        FilesReport(paths=["src/a.py", f"notes/{secret}.txt"]),
        ProgressReport(last_tool=f"mcp__{secret}"),
        ResultReport(
            status="failure",
            summary=f"see {secret}",
            error_code="x",
            error_message=f"no {secret}",
            files_changed=[secret],
        ),
    )
    assert secret not in json.dumps(kept.reports)
    assert kept.reports[0]["paths"] == ["src/a.py", f"notes/{MARK}.txt"]


def test_of_a_patch_only_credentials_in_use_are_replaced(kept: Kept) -> None:
    patch = f"+key = {KEY}\n+token = {GITHUB}\n"
    (report,) = kept.put(ResultReport(status="success", patch=patch))
    assert report["patch"] == patch.replace(KEY, MARK.ljust(len(KEY), "*"))


def test_what_the_hub_refused_is_excused_without_the_credential(kept: Kept) -> None:
    kept.put(ResultReport(status="success", branch="b"))
    kept.outbox.excuse(kept.outbox.batch(1, 1_000)[0], f"no {KEY} here")
    assert kept.reports[0]["errorMessage"] == f"the hub refused the result: no {MARK} here"


def test_a_private_key_is_found_over_several_reports_of_one_stream(kept: Kept) -> None:
    lines = pem().splitlines()
    for line in lines:
        kept.put(
            LogReport(stream="stderr", text=line), LogReport(stream="agent", text="I read it, and it is a long word")
        )
    told = [report["text"] for report in kept.reports if report["stream"] == "stderr"]
    assert {line.lstrip("+") for line in told[1:-1]} == {MARK}
    assert [report["text"] for report in kept.reports if report["stream"] == "agent"] == [
        "I read it, and it is a long word"
    ] * len(lines)


def test_a_credential_with_colours_in_it_is_found(kept: Kept) -> None:
    """As `grep --color` shows one."""
    kept.put(LogReport(stream="stdout", text=f"\x1b[01;31m\x1b[K{KEY[:6]}\x1b[m\x1b[K{KEY[6:]} found"))
    assert kept.texts == [f"{MARK} found"]


@pytest.mark.parametrize("begins", range(MAX_LINE - 120, MAX_LINE + 10, 13))
def test_a_credential_over_the_longest_line_is_not_cut(kept: Kept, begins: int) -> None:
    kept.put(LogReport(stream="agent", text="x " * (begins // 2) + KEY + " y" * 40_000))
    (text,) = kept.texts
    assert len(text) == MAX_LINE
    assert KEY[:16] not in text


@pytest.mark.parametrize("secret", [KEY, TOKEN, GITHUB])
def test_a_line_that_is_all_credentials_ends_in_none(kept: Kept, secret: str) -> None:
    """They become short, so that much of what was cut off would have been shown."""
    splitter = LineSplitter()
    output = f"{secret} ".encode() * 2_000
    for start, end in pairwise([*range(0, len(output), 4_096), len(output)]):
        assert list(splitter.feed(output[start:end])) == []
    kept.put(*(LogReport(stream="stdout", text=line) for line in splitter.end()))
    (text,) = kept.texts
    assert secret[:12] not in text
    assert text.startswith(f"{MARK} {MARK} ")
    assert text.endswith(f" … [{len(output):,} characters, cut]")


@pytest.mark.parametrize("at", range(1, len(KEY), 9))
async def test_a_credential_that_a_command_writes_in_two_pieces_is_found(kept: Kept, tmp_path: Path, at: int) -> None:
    place = Place(tmp_path, tmp_path, tmp_path, {"PATH": os.environ["PATH"]}, tmp_path)

    async def hear(stream: Any, line: str) -> None:
        kept.put(LogReport(stream=stream, text=line))

    await run_shell(f"printf 'it is {KEY[:at]}'; sleep 0.02; printf '{KEY[at:]}'; echo {TOKEN} >&2", place, hear)
    assert sorted(kept.texts) == [MARK, f"it is {MARK}"]


def test_what_is_held_for_each_line_is_bounded() -> None:
    splitter = LineSplitter()
    for _ in range(100):
        assert list(splitter.feed(b"x" * 100_000)) == []
    assert len(next(splitter.end())) < MAX_LINE + LONGEST + 100
