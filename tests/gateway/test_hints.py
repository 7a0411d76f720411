"""What an answer says about when the model's provider takes more is understood, and nonsense is not."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from swarm_hub.gateway.hints import Hint, read_hint

NOW = 1_790_000_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
LIMIT = "anthropic-ratelimit-"


def rfc3339(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def http_date(ms: int) -> str:
    return format_datetime(datetime.fromtimestamp(ms / 1000, UTC), usegmt=True)


def epoch(ms: int) -> str:
    return str(ms // 1000)


def until(status: int, **headers: str) -> int | None:
    hint = read_hint(status, {name.replace("_", "-"): value for name, value in headers.items()}, NOW)
    return None if hint is None else hint.until_ms - NOW


def limit(kind: str, remaining: str, reset: str) -> dict[str, str]:
    return {f"{LIMIT}{kind}-remaining": remaining, f"{LIMIT}{kind}-reset": reset}


def test_an_answer_without_limits_says_nothing() -> None:
    assert read_hint(200, {"content-type": "application/json"}, NOW) is None


@pytest.mark.parametrize("status", [200, 400, 500, 529])
def test_only_a_429_counts_its_retry_after(status: int) -> None:
    assert until(status, retry_after="60") is None


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [("7", 7_000), ("7.5", 7_500), ("0", 1_000), ("7999", 7_999_000), (http_date(NOW + HOUR), HOUR)],
)
def test_a_refusal_counts_for_as_long_as_it_says(value: str, milliseconds: int) -> None:
    assert until(429, retry_after=value) == milliseconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-5",
        "1e9",
        "٣",
        "inf",
        "9" * 30,
        http_date(NOW - HOUR),
        "Fri, 99 Foo 2026",
        "Fri, 31 Dec 9999 23:59:59",
    ],
)
def test_a_refusal_without_a_hint_that_makes_sense_counts_for_half_a_minute(value: str) -> None:
    assert until(429, retry_after=value) == 30_000


@pytest.mark.parametrize("kind", ["requests", "tokens", "input-tokens", "output-tokens"])
@pytest.mark.parametrize("status", [200, 429])
def test_a_limit_of_which_nothing_is_left_counts_until_its_reset(kind: str, status: int) -> None:
    headers = limit(kind, "0", rfc3339(NOW + MINUTE))
    assert read_hint(status, headers, NOW) == Hint(NOW + MINUTE, status, f"{LIMIT}{kind}-reset")


def test_a_limit_of_which_something_is_left_does_not_count() -> None:
    assert read_hint(200, limit("tokens", "1", rfc3339(NOW + MINUTE)), NOW) is None


def test_of_several_limits_without_anything_left_the_last_reset_counts() -> None:
    headers = {**limit("tokens", "0", rfc3339(NOW + MINUTE)), **limit("requests", "0", rfc3339(NOW + HOUR))}
    headers |= limit("input-tokens", "9", rfc3339(NOW + DAY))
    assert read_hint(200, headers, NOW) == Hint(NOW + HOUR, 200, f"{LIMIT}requests-reset")


def test_a_refusals_own_hint_counts_before_what_is_left() -> None:
    headers = {"retry-after": "3", **limit("tokens", "0", rfc3339(NOW + MINUTE))}
    assert read_hint(429, headers, NOW) == Hint(NOW + 3_000, 429, "retry-after")


def test_a_refusal_that_names_resets_alone_counts_until_the_last_of_them() -> None:
    headers = {**limit("tokens", "5", rfc3339(NOW + MINUTE)), **limit("requests", "5", rfc3339(NOW + HOUR))}
    assert read_hint(429, headers, NOW) == Hint(NOW + HOUR, 429, f"{LIMIT}requests-reset")


@pytest.mark.parametrize("status", [200, 429])
def test_a_subscription_that_is_used_up_counts_until_its_reset(status: int) -> None:
    headers = {f"{LIMIT}unified-status": "rejected", f"{LIMIT}unified-reset": epoch(NOW + 5 * HOUR)}
    assert read_hint(status, headers, NOW) == Hint(NOW + 5 * HOUR, status, f"{LIMIT}unified-reset")


def test_a_subscription_that_is_not_used_up_does_not_count() -> None:
    headers = {f"{LIMIT}unified-status": "allowed_warning", f"{LIMIT}unified-reset": epoch(NOW + 5 * HOUR)}
    assert read_hint(200, headers, NOW) is None


def test_of_a_subscription_and_a_retry_after_the_later_counts() -> None:
    headers = {f"{LIMIT}unified-status": "rejected", f"{LIMIT}unified-reset": epoch(NOW + 5 * HOUR)}
    assert read_hint(429, {**headers, "retry-after": "60"}, NOW) == Hint(NOW + 5 * HOUR, 429, f"{LIMIT}unified-reset")


@pytest.mark.parametrize("reset", ["", "soon", "2026-99-99T00:00:00Z", "2026-11-23T12:00:00", "12", rfc3339(NOW - 1)])
def test_a_reset_that_makes_no_sense_does_not_count(reset: str) -> None:
    assert read_hint(200, limit("tokens", "0", reset), NOW) is None


@pytest.mark.parametrize("value", [str(30 * 86_400), http_date(NOW + 300 * DAY)])
def test_no_limit_counts_for_longer_than_eight_days(value: str) -> None:
    assert until(429, retry_after=value) == 8 * DAY


@pytest.mark.parametrize("ahead", [-2 * HOUR, 2 * HOUR])
def test_a_wrong_clock_of_this_machine_does_not_move_a_reset(ahead: int) -> None:
    theirs = NOW - ahead
    headers = {"date": http_date(theirs), **limit("tokens", "0", rfc3339(theirs + MINUTE))}
    assert read_hint(200, headers, NOW) == Hint(NOW + MINUTE, 200, f"{LIMIT}tokens-reset")
    assert until(429, date=http_date(theirs), retry_after=http_date(theirs + HOUR)) == HOUR
