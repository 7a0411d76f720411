"""The models of a price table: each an entry for each day on which its prices changed."""

import re
from typing import Any

from swarm_hub.prices import amounts
from swarm_hub.prices.amounts import BadPrices
from swarm_hub.prices.names import Key, read_name
from swarm_hub.prices.section import Section
from swarm_hub.prices.table import Band, CacheFactors, Entry, Rates

CLASSES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
NAME = re.compile(r"[\x21-\x7e]{1,200}")
ONE: int = 10**amounts.FACTOR
FULL: int = 10**amounts.CACHE


def read_models(sections: list[Section], cache: CacheFactors) -> dict[Key, tuple[Entry, ...]]:
    """Raises `BadPrices`."""
    models: dict[Key, tuple[Entry, ...]] = {}
    for section in sections:
        entry = _entry(section, cache)
        key = read_name(entry.id).key
        before = models.get(key, ())
        if any(other.since == entry.since for other in before):
            raise BadPrices(f"{section.where}: from is {entry.since}; allowed: a day without an entry of this model")
        if any(other.family != entry.family for other in before):
            raise BadPrices(f"{section.where}: family is {entry.family!r}; allowed: {before[0].family!r}, as before")
        models[key] = tuple(sorted((*before, entry), key=lambda each: each.since))
    return models


def _entry(section: Section, cache: CacheFactors) -> Entry:
    section.only("id", "family", "from", *CLASSES, "fast", "regional", "long_context")
    name = section.take("id", _id)
    section.where += f", {name}"
    return Entry(
        id=name,
        family=section.take("family", _family),
        since=section.take("from", amounts.day),
        bands=(Band(-1, _rates(section, cache)), *_bands(section.sections("long_context"), cache)),
        fast=section.take("fast", amounts.surcharge) if "fast" in section else None,
        regional=section.take("regional", amounts.surcharge) if "regional" in section else ONE,
    )


def _bands(sections: list[Section], cache: CacheFactors) -> list[Band]:
    bands: list[Band] = []
    for section in sections:
        section.only("above", *CLASSES)
        band = Band(section.take("above", amounts.tokens), _rates(section, cache))
        if bands and band.above <= bands[-1].above:
            raise BadPrices(f"{section.where}: above is {band.above}; allowed: more than {bands[-1].above}")
        bands.append(band)
    return bands


def _rates(section: Section, cache: CacheFactors) -> Rates:
    given = section.take("input", amounts.price)

    def cached(name: str, factor: int) -> int:
        return _rate(section.take(name, amounts.price)) if name in section else given * factor

    return Rates(
        input=_rate(given),
        output=_rate(section.take("output", amounts.price)),
        cache_read=cached("cache_read", cache.read),
        cache_write_5m=cached("cache_write_5m", cache.write_5m),
        cache_write_1h=cached("cache_write_1h", cache.write_1h),
    )


def _rate(price: int) -> int:
    return price * FULL


def _id(value: Any) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value) or not any(read_name(value).key):
        raise ValueError("the name of a model")
    return value


def _family(value: Any) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.islower() or not value.isalpha():
        raise ValueError("a word of a-z that is part of the names of its models, such as opus")
    return value
