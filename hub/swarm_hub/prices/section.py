"""A part of a price table's file, whose mistakes are told with their place."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from swarm_hub.prices.amounts import BadPrices

SHOWN = 60  # characters of a wrong value

T = TypeVar("T")


class Section:
    """Fields by name. Every method raises `BadPrices` for what is not as it should be."""

    def __init__(self, where: str, fields: Any) -> None:
        if not isinstance(fields, dict):
            raise BadPrices(f"{where} is {_show(fields)}; allowed: a table of fields")
        self.where = where
        self._fields: Mapping[str, Any] = fields

    def only(self, *names: str) -> None:
        for name in sorted(self._fields.keys() - set(names)):
            raise BadPrices(f"{self.where}: {_plain(name)} is not a field; allowed: {', '.join(names)}")

    def take(self, name: str, parse: Callable[[Any], T]) -> T:
        """`parse` raises `ValueError` with what is allowed."""
        value = self._fields.get(name)
        try:
            return parse(value)
        except ValueError as error:
            was = "missing" if value is None else _show(value)
            raise BadPrices(f"{self.where}: {_plain(name)} is {was}; allowed: {error}") from None

    def section(self, name: str) -> "Section":
        return Section(f"{self.where}: {_plain(name)}", self._fields.get(name, {}))

    def sections(self, name: str) -> list["Section"]:
        """Those of an array of tables, each known by its number from 1."""
        found = self._fields.get(name, [])
        if not isinstance(found, list):
            raise BadPrices(f"{self.where}: {name} is {_show(found)}; allowed: a list of tables")
        return [Section(f"{self.where}: {name} {number}", fields) for number, fields in enumerate(found, 1)]

    def each(self, parse: Callable[[Any], T]) -> dict[str, T]:
        return {name: self.take(name, parse) for name in self._fields}

    def subsections(self) -> dict[str, "Section"]:
        return {name: self.section(name) for name in self._fields}

    def __contains__(self, name: str) -> bool:
        return name in self._fields


def _plain(name: str) -> str:
    return name if name.isprintable() and len(name) <= SHOWN else _show(name)


def _show(value: Any) -> str:
    text = str(value) if isinstance(value, Decimal | date) else repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
