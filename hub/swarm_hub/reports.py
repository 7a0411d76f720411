"""A batch of reports as it comes in: told apart by `kind`, the unknown kinds let through."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from annotated_types import MaxLen
from pydantic import Discriminator, Tag, TypeAdapter

from swarm_api.worker import (
    MAX_REPORTS,
    Claim,
    Count,
    FilesReport,
    LogReport,
    ProgressReport,
    ResultReport,
    SessionReport,
    UnknownReport,
    UsageReport,
    Wire,
)

_KINDS = frozenset({"log", "usage", "files", "progress", "session", "result"})


def _kind(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) and kind in _KINDS else "unknown"


AnyReport = Annotated[
    Annotated[LogReport, Tag("log")]
    | Annotated[UsageReport, Tag("usage")]
    | Annotated[FilesReport, Tag("files")]
    | Annotated[ProgressReport, Tag("progress")]
    | Annotated[SessionReport, Tag("session")]
    | Annotated[ResultReport, Tag("result")]
    | Annotated[UnknownReport, Tag("unknown")],
    Discriminator(_kind),
]


@dataclass(frozen=True, kw_only=True)
class Reports(Wire):
    """Numbered without gaps; empty is the heartbeat. `seen_control`: the last control number acted on."""

    reports: Annotated[list[AnyReport], MaxLen(MAX_REPORTS)] = field(default_factory=list)
    seen_control: Count = 0


def without_usage(batch: Reports) -> Reports:
    """What a worker says it used does not count where the gateway meters: it is taken note of, and left alone."""
    left: list[AnyReport] = [
        UnknownReport(kind=r.kind, n=r.n) if isinstance(r, UsageReport) else r for r in batch.reports
    ]
    return replace(batch, reports=left)


REPORTS = TypeAdapter(Reports)
CLAIM = TypeAdapter(Claim)
