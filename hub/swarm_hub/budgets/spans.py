"""Days, and weeks from Monday, as a time zone has them."""

from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from swarm_api.budget import Period

QUARTER_MS = 15 * 60 * 1000
"""What spending is summed by: every time zone in use begins its days on a quarter of an hour of UTC."""


class Span(NamedTuple):
    """Milliseconds since the epoch; the end is outside."""

    begin_ms: int
    end_ms: int


def span_of(period: Period, now_ms: int, zone: ZoneInfo) -> Span:
    """The day or week that a moment is in."""
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    first = today if period == "day" else today - timedelta(days=today.weekday())
    return Span(_midnight(first, zone), _midnight(first + timedelta(days=1 if period == "day" else 7), zone))


def quarter(ms: int) -> int:
    return ms // QUARTER_MS


def _midnight(day: date, zone: ZoneInfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
