"""How statuses, times, sizes and money look: the same in every table, page and live view."""

from datetime import UTC, datetime

STATUS = {
    "pending": ("○", "yellow"),
    "running": ("●", "cyan"),
    "completed": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("⊘", "dim"),
    "starting": ("○", "cyan"),
    "stopping": ("●", "yellow"),
    "finished": ("✓", "dim"),
    "lost": ("✗", "red"),
}


def mark(status: str) -> tuple[str, str]:
    """A status with its sign, and its style."""
    sign, style = STATUS.get(status, ("·", ""))
    return f"{sign} {status}", style


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def now() -> datetime:
    return datetime.now(UTC)


def seconds_between(start: str | None, end: str | None) -> float | None:
    """From a start until an end, or until now; None when it has not begun."""
    if start is None:
        return None
    return max(0.0, ((moment(end) if end else now()) - moment(start)).total_seconds())


def duration(seconds: float | None) -> str:
    """`7s`, `1m05s`, `2h03m`, `4d02h`."""
    if seconds is None:
        return ""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h"


def age(text: str | None) -> str:
    """The largest unit alone: `7s`, `5m`, `2h`, `4d`."""
    seconds = seconds_between(text, None)
    if seconds is None:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def changes(files: int, additions: int, deletions: int) -> str:
    return f"{plural(files, 'file')} +{additions} −{deletions}" if files else "no changes"


def money(micro_usd: int) -> str:
    """To the cent, rounded as the API rounds; what is less than half of one is not nothing."""
    cents = (micro_usd + 5_000) // 10_000
    return "<$0.01" if micro_usd and not cents else dollars(cents)


def dollars(cents: int) -> str:
    """`$1,234.50`, `-$3.00`."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${whole:,}.{rest:02}"


def clock(text: str) -> str:
    """A time to come, in the zone of this machine: `14:05`, with the day where that is not within 24 hours."""
    time = moment(text)
    ahead = (time - now()).total_seconds()
    day = "" if ahead < 86_400 else "%a " if ahead < 6 * 86_400 else "%Y-%m-%d "
    return f"{time.astimezone():{day}%H:%M}"


def until(text: str) -> str:
    """`until 14:05 UTC`."""
    return f"until {clock(text)} {moment(text).astimezone():%Z}"


def left(text: str) -> str:
    """How long it is until then."""
    return duration(max(0.0, (moment(text) - now()).total_seconds()))


def count(number: int) -> str:
    """`950`, `12.3k`, `4.5M`."""
    if number < 1_000:
        return str(number)
    if number < 1_000_000:
        return f"{number / 1_000:.1f}k"
    return f"{number / 1_000_000:.1f}M"


def moment_of(seconds: float) -> datetime:
    """Of a time in seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_shown(time: datetime | None) -> str:
    """`2026-02-01 12:00 UTC`; without an end, `for ever`."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if time else "for ever"
