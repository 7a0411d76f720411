"""The metrics of a period, put together from the groups that the projection gives."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from swarm_api.analytics import Done, Durations, MetricsPeriod, Point, Summary, Totals, Used
from swarm_api.base import cents, from_ms
from swarm_hub.budgets.spans import Span, span_of

HOUR_MS = 3_600_000
MOST_REPOS = 100
_TOKENS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
Groups = Mapping[str, Any]


class Spans(NamedTuple):
    """The period that is now, the one before it, and today."""

    period: Span
    previous: Span
    today: Span


def spans_of(period: MetricsPeriod, now_ms: int, zone: ZoneInfo) -> Spans:
    this = _span(period, now_ms, zone)
    return Spans(this, _span(period, this.begin_ms - 1, zone), span_of("day", now_ms, zone))


def steps_of(period: MetricsPeriod, span: Span, zone: ZoneInfo) -> list[int]:
    """Where the points of a series begin: a day has 23 to 25 hours."""
    if period == "day":
        return list(range(span.begin_ms, span.end_ms, HOUR_MS))
    first = datetime.fromtimestamp(span.begin_ms / 1000, zone).date()
    days = (_midnight(first + timedelta(days=n), zone) for n in range(31))
    return [begin for begin in days if begin < span.end_ms]


def _span(period: MetricsPeriod, now_ms: int, zone: ZoneInfo) -> Span:
    if period != "month":
        return span_of(period, now_ms, zone)
    first = datetime.fromtimestamp(now_ms / 1000, zone).date().replace(day=1)
    return Span(_midnight(first, zone), _midnight((first + timedelta(days=32)).replace(day=1), zone))


def summary(groups: Groups, span: Span) -> Summary:
    """Without what it is made of."""
    (used,) = _used(groups["used"]["all"]).values() or [Used()]
    (done,) = _done(groups, "all").values() or [Done()]
    totals = Totals(**{**dict(used), **dict(done), **_cost(used.cost_micro_usd)}, agents=groups["agents"])
    p50, p95 = groups["durations"]
    return Summary(
        from_=from_ms(span.begin_ms),
        to=from_ms(span.end_ms),
        totals=totals,
        duration_ms=Durations(p50=_rounded(p50), p95=_rounded(p95)),
        success_rate=_rate(totals.completed, totals.failed),
    )


def breakdown(groups: Groups, steps: Sequence[int]) -> dict[str, Any]:
    """The figures by model, type, status and repository, and as a series."""
    repos = sorted(_done(groups, "repo").items(), key=lambda item: (-item[1].cost_micro_usd, item[0]))
    series = _done(groups, "step")
    return {
        "by_model": _used(groups["used"]["model"]),
        "by_type": _done(groups, "type"),
        "by_status": {status: tasks for _, status, tasks in groups["created"]["all"]},
        "by_repo": dict(repos[:MOST_REPOS]),
        "series": [_point(begin, series.get(at, Done())) for at, begin in enumerate(steps)],
    }


def ended_within(series: Sequence[Point], span: Span) -> Done:
    """The sum of those points that begin in a span."""
    points = [point for point in series if from_ms(span.begin_ms) <= point.at < from_ms(span.end_ms)]
    return Done(completed=sum(point.completed for point in points), failed=sum(point.failed for point in points))


def _used(rows: Iterable[Sequence[Any]]) -> dict[str, Used]:
    return {
        key: Used(requests=requests, **_cost(cost), **dict(zip(_TOKENS, tokens, strict=True)))
        for key, requests, cost, *tokens in rows
    }


def _done(groups: Groups, key: str) -> dict[Any, Done]:
    """Tasks and cost by a key."""
    made: dict[Any, dict[str, int]] = {}
    for of, _, tasks in groups["created"][key]:
        _add(made, of, "tasks", tasks)
    for of, status, tasks in groups["finished"][key]:
        _add(made, of, status, tasks)
    for of, _, cost, *_ in groups["used"][key]:
        _add(made, of, "cost_micro_usd", cost)
    return {of: Done(**counts, cost_cents=cents(counts.get("cost_micro_usd", 0))) for of, counts in made.items()}


def _add(made: dict[Any, dict[str, int]], key: Any, name: str, more: int) -> None:
    counts = made.setdefault(key, {})
    counts[name] = counts.get(name, 0) + more


def _point(at: int, done: Done) -> Point:
    return Point(at=from_ms(at), **dict(done))


def _cost(micro_usd: int) -> dict[str, int]:
    return {"cost_micro_usd": micro_usd, "cost_cents": cents(micro_usd)}


def _rate(completed: int, failed: int) -> float | None:
    return round(completed / (completed + failed), 4) if completed + failed else None


def _rounded(ms: float | None) -> int | None:
    return None if ms is None else round(ms)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
