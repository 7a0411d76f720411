"""Reads a price table from its TOML file and takes nothing in it on trust."""

import tomllib
from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from swarm_hub.prices import amounts
from swarm_hub.prices.amounts import BadPrices
from swarm_hub.prices.entries import read_models
from swarm_hub.prices.names import Key, read_name
from swarm_hub.prices.section import Section
from swarm_hub.prices.table import CacheFactors, Table

SCHEMA = 1
PARTS = ("schema", "date", "source", "cache", "service_tiers", "server_tools", "aliases", "machines", "model")


def read_table(path: Path, below: Table | None = None) -> Table:
    """The table in a file. Raises `BadPrices`.

    Aliases may lead to models of the table `below`; its cache factors stand where the file gives none.
    """
    file = Section(str(path), _parse(path))
    file.only(*PARTS)
    file.take("schema", _schema)
    cache = _cache(file.section("cache"), below)
    models = read_models(file.sections("model"), cache)
    return Table(
        dated=file.take("date", amounts.day),
        source=file.take("source", amounts.text),
        cache=cache,
        service_tiers=file.section("service_tiers").each(amounts.factor),
        server_tools=file.section("server_tools").each(amounts.price_or_nothing),
        aliases=_aliases(file.section("aliases"), {*models, *(below.models if below else ())}),
        models=models,
        machines=_machines(file.section("machines")),
    )


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise BadPrices(f"{path} cannot be read: {error.strerror}; allowed: a price table") from None
    except (ArithmeticError, RecursionError):
        raise BadPrices(f"{path} has a number or a nesting beyond all bounds; allowed: a price table") from None
    except ValueError as error:
        raise BadPrices(f"{path} is not TOML: {' '.join(str(error).split())}; allowed: a price table") from None


def _schema(value: Any) -> None:
    if value != SCHEMA or isinstance(value, bool):
        raise ValueError(f"{SCHEMA}, the schema that this version reads")


def _cache(section: Section, below: Table | None) -> CacheFactors:
    section.only("read", "write_5m", "write_1h")
    if below is None:
        return CacheFactors(*(section.take(name, amounts.cache_factor) for name in ("read", "write_5m", "write_1h")))
    return replace(below.cache, **section.each(amounts.cache_factor))


def _aliases(section: Section, models: Collection[Key]) -> dict[Key, Key]:
    def model(value: Any) -> Key:
        if not isinstance(value, str) or (key := read_name(value).key) not in models:
            raise ValueError("the id of a model in the table")
        return key

    aliases: dict[Key, Key] = {}
    for alias, leads_to in section.each(model).items():
        key = read_name(alias).key
        if key in aliases or not any(key):
            raise BadPrices(f"{section.where}: {alias!r} is not one name; allowed: a name, in one spelling")
        aliases[key] = leads_to
    return aliases


def _machines(section: Section) -> dict[str, dict[str, int]]:
    machines: dict[str, dict[str, int]] = {}
    for name, executor in section.subsections().items():
        executor.only("light", "standard", "heavy")
        if sizes := executor.each(amounts.price_or_nothing):
            machines[name] = sizes
    return machines
