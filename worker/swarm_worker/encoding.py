"""Reports as bytes: numbered, stamped, and of a form that every hub takes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from swarm_api.worker import FilesReport, LogReport, Report, ResultReport, to_wire
from swarm_worker.text import lines, scrub

MAX_DATA = 256 * 1024
MAX_PATHS = 10_000


def parts(report: Report) -> Iterator[Report]:
    """The reports to send for one: a log report of several lines becomes one for each, the first with the data."""
    if not isinstance(report, LogReport):
        yield report
        return
    data = report.data
    for line in lines(report.text):
        yield replace(report, text=line, data=data)
        data = None


def encode(report: Report) -> bytes:
    """One line of JSON. A patch is passed on to the letter; all other text is cleaned and cut."""
    if isinstance(report, FilesReport):
        report = replace(report, paths=report.paths[:MAX_PATHS])
    if isinstance(report, ResultReport):
        report = replace(report, files_changed=report.files_changed[:MAX_PATHS])
    patch = report.patch if isinstance(report, ResultReport) else None
    wire = scrub(to_wire(report))
    if patch is not None:
        wire["patch"] = patch
    if len(line := _dump(wire)) > MAX_DATA and "data" in wire:
        wire["data"] = {"leftOut": f"{len(line):,} bytes"}
        line = _dump(wire)
    return line


def _dump(wire: dict[str, Any]) -> bytes:
    return json.dumps(wire, ensure_ascii=False, separators=(",", ":")).encode()
