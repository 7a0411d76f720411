"""What an answer of the Messages API says about when it will take more."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

NO_HINT_MS = 30_000  # how long a refusal counts that does not say
LONGEST_MS = 8 * 24 * 3_600_000  # a week's limit and a day
SOON_MS = 1_000  # a refusal that says `at once`
WRONG_CLOCK_MS = 30_000  # by which this machine's clock must differ from the answer's to be taken for wrong

_LIMIT = "anthropic-ratelimit-"
_KINDS = ("requests", "tokens", "input-tokens", "output-tokens")
_UNIFIED = f"{_LIMIT}unified-reset"
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_EPOCH = re.compile(r"[0-9]{9,11}")


@dataclass(frozen=True)
class Hint:
    """Nothing is taken until then (epoch ms). `detail`: which of the answer's headers says so."""

    until_ms: int
    status: int
    detail: str


def read_hint(status: int, headers: Mapping[str, str], now_ms: int) -> Hint | None:
    """None: more may be asked. Names of headers are lower case. What makes no sense, or has passed, says nothing.

    Source: platform.claude.com/docs/en/api/rate-limits; of `unified`, which subscriptions have, what the API answers.
    """
    ahead = [told for told in _told(status, headers, now_ms) if told[0] > now_ms]
    if ahead:
        until_ms, header = max(ahead)
        return Hint(min(until_ms, now_ms + LONGEST_MS), status, header)
    return Hint(now_ms + NO_HINT_MS, status, "no hint") if status == 429 else None


def _told(status: int, headers: Mapping[str, str], now_ms: int) -> list[tuple[int, str]]:
    """The times that count (epoch ms), each with its header: of a refusal its own hint, before what limits reset."""
    fast = _fast(headers, now_ms)

    def resets(names: Iterable[str], parse: Callable[[str], int | None]) -> Iterator[tuple[int, str]]:
        for name in names:
            if (at := parse(headers.get(name, ""))) is not None:
                yield at + fast, name

    told = list(resets([_UNIFIED], _epoch)) if headers.get(f"{_LIMIT}unified-status") == "rejected" else []
    if status == 429 and (after := _after(headers.get("retry-after", ""), now_ms, fast)) is not None:
        told.append((after, "retry-after"))
    if told:
        return told
    empty = [kind for kind in _KINDS if headers.get(f"{_LIMIT}{kind}-remaining") == "0"]
    told = list(resets((f"{_LIMIT}{kind}-reset" for kind in empty), _moment))
    if told or status != 429:
        return told
    return [*resets((f"{_LIMIT}{kind}-reset" for kind in _KINDS), _moment), *resets([_UNIFIED], _epoch)]


def _fast(headers: Mapping[str, str], now_ms: int) -> int:
    """By how much this machine's clock is ahead of the answer's, if it is wrong at all."""
    said = _http_date(headers.get("date", ""))
    return 0 if said is None or abs(now_ms - said) < WRONG_CLOCK_MS else now_ms - said


def _after(value: str, now_ms: int, fast: int) -> int | None:
    """`Retry-After`: seconds, or a date."""
    if _SECONDS.fullmatch(value):
        return now_ms + max(SOON_MS, round(float(value) * 1000))
    at = _http_date(value)
    return None if at is None else at + fast


def _epoch(value: str) -> int | None:
    return int(value) * 1000 if _EPOCH.fullmatch(value) else None


def _moment(value: str) -> int | None:
    """RFC 3339."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return _ms(moment)


def _http_date(value: str) -> int | None:
    try:
        return _ms(parsedate_to_datetime(value))
    except ValueError:
        return None


def _ms(moment: datetime) -> int | None:
    """Without a zone it says nothing."""
    try:
        return round(moment.timestamp() * 1000) if moment.tzinfo is not None else None
    except OverflowError:
        return None
