"""Reports as bytes: numbered, stamped, and of a form that every hub takes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from swarm_api.redaction import RedactedStream, Redactor
from swarm_api.words import Stream
from swarm_api.worker import FilesReport, LogReport, Report, ResultReport, to_wire
from swarm_worker.text import lines, scrub

MAX_DATA = 256 * 1024
MAX_PATHS = 10_000


def parts(report: Report, streams: Mapping[Stream, RedactedStream]) -> Iterator[Report]:
    """The reports to send for one: a log report of several lines becomes one for each, the first with the data.

    `streams` follow each stream of the log: a private key may come in several reports.
    """
    if not isinstance(report, LogReport):
        yield report
        return
    data = report.data
    for line in lines(report.text, streams[report.stream]):
        yield replace(report, text=line, data=data)
        data = None


def encode(report: Report, redactor: Redactor) -> bytes:
    """One line of JSON. A patch is passed on to the letter but for credentials in use; all other text is scrubbed."""
    if isinstance(report, FilesReport):
        report = replace(report, paths=report.paths[:MAX_PATHS])
    if isinstance(report, ResultReport):
        report = replace(report, files_changed=report.files_changed[:MAX_PATHS])
    patch = None
    if isinstance(report, ResultReport):
        patch, report = report.patch, replace(report, patch=None)
    wire = scrub(to_wire(report), redactor)
    if patch is not None:
        wire["patch"] = redactor.mask(patch.encode()).decode()
    if len(line := _dump(wire)) > MAX_DATA and "data" in wire:
        wire["data"] = {"leftOut": f"{len(line):,} bytes"}
        line = _dump(wire)
    return line


def _dump(wire: dict[str, Any]) -> bytes:
    return json.dumps(wire, ensure_ascii=False, separators=(",", ":")).encode()
