"""A clock that stands still until a test moves it."""

from datetime import datetime

NOON = "2026-11-18T12:00:00+00:00"  # a Wednesday


class Clock:
    """A moment is ISO 8601 with its offset. Called, it is milliseconds since the epoch, as the hub asks its clock."""

    def __init__(self, moment: str = NOON) -> None:
        self._ms = _ms(moment)

    def __call__(self) -> int:
        return self._ms

    def set(self, moment: str) -> None:
        self._ms = _ms(moment)

    def wait(self, *, minutes: float = 0, seconds: float = 0) -> None:
        self._ms += round(minutes * 60_000 + seconds * 1_000)


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
