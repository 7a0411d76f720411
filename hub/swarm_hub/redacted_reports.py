"""What workers report, without credentials: they redact it themselves, but may be old, or lie."""

from collections.abc import Iterator
from dataclasses import fields, replace

from pydantic_core import to_json

from swarm_api.redaction import RedactedStream, Redactor
from swarm_api.worker import LogReport, Report, ResultReport, UnknownReport
from swarm_hub.reports import Reports

AnyReport = Report | UnknownReport


def redacted(batch: Reports, redactor: Redactor) -> Reports:
    """The same batch, in which credentials are replaced; of a patch, which must fit, only those in use."""
    if redactor.suspects("\n".join(_texts(batch))):  # hardly ever; to look at each line costs several times as much
        streams: dict[str, RedactedStream] = {}
        return replace(batch, reports=[_report(report, redactor, streams) for report in batch.reports])
    if any(isinstance(report, ResultReport) for report in batch.reports):
        return replace(batch, reports=[_masked(report, redactor) for report in batch.reports])
    return batch


def _texts(batch: Reports) -> Iterator[str]:
    for report in batch.reports:
        if not isinstance(report, LogReport):
            yield to_json(_patchless(report)).decode()
            continue
        yield report.text
        if report.data is not None:
            yield to_json(report.data).decode()


def _report(report: AnyReport, redactor: Redactor, streams: dict[str, RedactedStream]) -> AnyReport:
    shown = {item.name: redactor.value(getattr(report, item.name)) for item in fields(report) if item.name != "patch"}
    if isinstance(report, LogReport):
        shown["text"] = streams.setdefault(report.stream, redactor.stream()).line(report.text)
    return _masked(replace(report, **shown), redactor)


def _masked(report: AnyReport, redactor: Redactor) -> AnyReport:
    if not isinstance(report, ResultReport) or report.patch is None:
        return report
    return replace(report, patch=redactor.mask(report.patch.encode()).decode())


def _patchless(report: AnyReport) -> AnyReport:
    return replace(report, patch=None) if isinstance(report, ResultReport) else report
