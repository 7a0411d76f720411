"""The price table as data. All figures are integers, scaled as `amounts` says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from swarm_hub.prices.bill import CacheWrites
from swarm_hub.prices.names import Key


@dataclass(frozen=True, slots=True)
class Rates:
    """Micro-dollars per token, `RATE` decimals."""

    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int

    def dearest_input(self, cache_writes: CacheWrites) -> int:
        """Of the classes that a prompt's tokens may be in, where caches are written for no longer than this."""
        dearest = max(self.input, self.cache_read)
        if cache_writes == "1h":
            return max(dearest, self.cache_write_5m, self.cache_write_1h)
        return max(dearest, self.cache_write_5m) if cache_writes == "5m" else dearest


@dataclass(frozen=True, slots=True)
class Band:
    """The rates of every token of a request whose whole prompt has more than `above` tokens."""

    above: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class Entry:
    """What a model costs from a day on. `fast` and `regional` are factors, `FACTOR` decimals."""

    id: str
    family: str
    since: date
    bands: tuple[Band, ...]  # rising; the first one is above -1
    fast: int | None
    regional: int

    def rates(self, prompt: int) -> Rates:
        return self.reachable(prompt)[-1]

    def reachable(self, prompt: int) -> list[Rates]:
        """The rates of a prompt of so many tokens, and of all shorter ones."""
        return [band.rates for band in self.bands if band.above < prompt or band.above < 0]


@dataclass(frozen=True, slots=True)
class CacheFactors:
    """A cache price by the input price, `CACHE` decimals, where an entry gives none."""

    read: int
    write_5m: int
    write_1h: int


@dataclass(frozen=True, slots=True)
class Table:
    dated: date
    source: str
    cache: CacheFactors
    service_tiers: Mapping[str, int]  # factors on all tokens of a request
    server_tools: Mapping[str, int]  # dollars per 1,000 requests
    aliases: Mapping[Key, Key]
    models: Mapping[Key, tuple[Entry, ...]]  # of those valid on a day, the last one counts
    machines: Mapping[str, Mapping[str, int]]  # executor, tier: micro-dollars per second

    def entry(self, key: Key, on: date) -> tuple[Entry, bool] | None:
        """The prices of a model on a day, and whether they were valid then: before its first entry that one stands."""
        entries = self.models.get(self.aliases.get(key, key))
        if entries is None:
            return None
        valid = [entry for entry in entries if entry.since <= on]
        return (valid[-1], True) if valid else (entries[0], False)

    def entries(self, on: date, families: Iterable[str]) -> list[Entry]:
        """The prices of a day of all models of the families."""
        named = set(families)
        found = (self.entry(key, on) for key in self.models)
        return [entry for entry, _valid in filter(None, found) if entry.family in named]

    @property
    def families(self) -> set[str]:
        return {entries[0].family for entries in self.models.values()}

    @property
    def dearest_fast(self) -> int:
        return max(entry.fast or 0 for entries in self.models.values() for entry in entries)

    def overlaid(self, own: "Table") -> "Table":
        """This table where `own` says nothing. For a model, `own` has the say from its own first day on."""
        models = {key: entries + own.models.get(key, ()) for key, entries in self.models.items()}
        machines = {name: {**self.machines.get(name, {}), **tiers} for name, tiers in own.machines.items()}
        return Table(
            dated=own.dated,
            source=own.source,
            cache=own.cache,
            service_tiers={**self.service_tiers, **own.service_tiers},
            server_tools={**self.server_tools, **own.server_tools},
            aliases={**self.aliases, **own.aliases},
            models={**own.models, **models},
            machines={**self.machines, **machines},
        )
