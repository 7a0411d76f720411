"""Decimal figures of a price table as integers, exactly; or a `ValueError` that says what is allowed."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

PRICE = 4  # decimals of a price: dollars per million tokens, which are micro-dollars per token
CACHE = 2  # decimals of the factor that makes a cache price of an input price
RATE = PRICE + CACHE  # decimals of the micro-dollars per token that come out
FACTOR = 3  # decimals of a factor on a whole request

DEAREST = 10_000  # of any price: a figure above it was meant in another unit


class BadPrices(Exception):
    """A price table is wrong. Its text is one line: file, entry, field, value, what is allowed."""


def number(places: int, low: str, high: int) -> Callable[[Any], int]:
    """Reads a number of at most `places` decimals as that many times ten to the places."""

    def parse(value: Any) -> int:
        allowed = f"a number from {low} to {high} with at most {places} decimals"
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise ValueError(allowed)
        exact = Decimal(value)
        if not exact.is_finite() or not Decimal(low) <= exact <= high or exact != round(exact, places):
            raise ValueError(allowed)
        return int(exact.scaleb(places))

    return parse


price = number(PRICE, "0.0001", DEAREST)
price_or_nothing = number(PRICE, "0", DEAREST)
cache_factor = number(CACHE, "0.01", 100)
factor = number(FACTOR, "0.001", 100)
surcharge = number(FACTOR, "1", 100)  # never a discount: a worst case counts it in


def half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def tokens(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10**9:
        raise ValueError("a whole number of tokens from 1 to 1000000000")
    return value


def day(value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("a day, written 2026-01-31 without quotes")
    return value


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("some text")
    return value
