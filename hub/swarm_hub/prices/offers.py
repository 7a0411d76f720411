"""Whose prices a request is billed by. Where that is not known: all that may be meant, and the dearest counts."""

from dataclasses import dataclass
from datetime import date

from swarm_hub.prices.amounts import FACTOR
from swarm_hub.prices.bill import Doubt
from swarm_hub.prices.names import Key, read_name
from swarm_hub.prices.table import Entry, Table

ONE: int = 10**FACTOR
UNBOUND = {"", "global", "not_available"}  # of `inference_geo`: answered wherever there is room


@dataclass(frozen=True, slots=True)
class Offer:
    """Prices, and the factor that speed and region put on them, twice `FACTOR` decimals."""

    entry: Entry
    factor: int
    doubts: tuple[Doubt, ...]


def offers(table: Table, model: str, on: date, speed: str, region: str) -> list[Offer]:
    """What a request for `model` may be billed by. Never empty."""
    name = read_name(model)
    fast = name.fast or speed != "standard"
    entries, doubts = _entries(table, model, name.key, on)
    if fast:  # of models that are only guessed, those that have a fast mode at all
        entries = [entry for entry in entries if entry.fast] or entries
    if speed not in ("standard", "fast"):
        doubts = (*doubts, "speed")
    regional = name.regional or region not in UNBOUND
    return [_offer(table, entry, doubts, fast, regional) for entry in entries]


def _entries(table: Table, model: str, key: Key, on: date) -> tuple[list[Entry], tuple[Doubt, ...]]:
    found = table.entry(key, on)
    if found is not None:
        entry, valid = found
        return [entry], () if valid else ("day",)
    families = {family for family in table.families if family in model.lower()}
    if families:
        return table.entries(on, families), ("model",)
    return table.entries(on, table.families), ("family",)


def _offer(table: Table, entry: Entry, doubts: tuple[Doubt, ...], fast: bool, regional: bool) -> Offer:
    region = entry.regional if regional else ONE
    if not fast:
        return Offer(entry, ONE * region, doubts)
    if entry.fast:
        return Offer(entry, entry.fast * region, doubts)
    return Offer(entry, table.dearest_fast * region, tuple(dict.fromkeys((*doubts, "speed"))))
