"""What requests and machines cost by the price table: exact integers, rounded once for each of them."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from swarm_hub.prices.amounts import FACTOR, PRICE, RATE, half_up
from swarm_hub.prices.bill import CacheWrites, Cost, Doubt, Metered
from swarm_hub.prices.file import read_table
from swarm_hub.prices.offers import Offer, offers
from swarm_hub.prices.table import Rates, Table

SHIPPED = Path(__file__).with_name("prices.toml")

UNIT: int = 10 ** (RATE + 3 * FACTOR)  # in a micro-dollar of a request: tokens x rate x service tier x speed x region
TOOL_UNIT: int = UNIT * 1_000 // 10**PRICE  # one use of a server tool, at 0.0001 dollars for 1,000 of them
MACHINE_UNIT: int = 1_000 * 10**PRICE  # in a micro-dollar of a machine: milliseconds x price of a second


class Prices:
    """What things cost. Days are days in UTC.

    What the table does not know is priced by the dearest that it does know: an unknown model by the dearest of its
    family, anything else by the dearest of all. `Cost.doubts` says so.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    @classmethod
    def load(cls, path: Path | None = None) -> "Prices":
        """The shipped table, and over it the user's own at `path`. Raises `BadPrices`."""
        shipped = read_table(SHIPPED)
        return cls(shipped if path is None else shipped.overlaid(read_table(path, shipped)))

    @property
    def dated(self) -> date:
        """Of the shipped table, or of the user's own where there is one."""
        return self._table.dated

    @property
    def source(self) -> str:
        return self._table.source

    def cost(self, model: str, used: Metered, on: date) -> Cost:
        """What a request cost: rounded half up to the micro-dollar, but never from something to nothing."""
        tier, tier_doubts = self._service_tier(used.service_tier)
        tools, tool_doubts = self._server_tools(used.server_tools)

        def units(offer: Offer) -> int:
            return _tokens(offer.entry.rates(used.prompt), used) * tier * offer.factor + tools

        offer = max(offers(self._table, model, on, used.speed, used.region), key=lambda it: (units(it), it.entry.id))
        return Cost(_micro_usd(units(offer)), offer.entry.id, (*offer.doubts, *tier_doubts, *tool_doubts))

    def worst_case(
        self, model: str, input_tokens: int, max_tokens: int, on: date, *, speed: str = "standard", tool_uses: int = 0,
        cache_writes: CacheWrites = "1h",
    ) -> Cost:  # fmt: skip
        """The most that a request may cost with so many tokens at most, in and out, in any service tier and region.

        What a server tool brings into the prompt counts among `input_tokens`.
        """
        tier = max(self._table.service_tiers.values())
        tools = max(self._table.server_tools.values()) * tool_uses * TOOL_UNIT

        def units(offer: Offer) -> int:
            rates = offer.entry.reachable(input_tokens)
            dearest_input = max(each.dearest_input(cache_writes) for each in rates) * input_tokens
            return (dearest_input + max(each.output for each in rates) * max_tokens) * tier * offer.factor + tools

        bound = max(offers(self._table, model, on, speed, "bound"), key=lambda it: (units(it), it.entry.id))
        return Cost(_micro_usd(units(bound)), bound.entry.id, bound.doubts)

    def machine(self, executor: str, tier: str, milliseconds: int) -> Cost:
        """What an agent's machine cost. Raises `ValueError` for a time below zero."""
        if milliseconds < 0:
            raise ValueError(f"a machine cannot run for {milliseconds} ms")
        machine, price, doubts = self._machine(executor, tier)
        return Cost(_micro_usd(price * milliseconds, MACHINE_UNIT), machine, doubts)

    def _machine(self, executor: str, tier: str) -> tuple[str, int, tuple[Doubt, ...]]:
        known = self._table.machines
        if executor not in known:
            price, name, size = max((price, name, size) for name in known for size, price in known[name].items())
            return f"{name}/{size}", price, ("executor",)
        tiers = known[executor]
        size = tier if tier in tiers else max(tiers, key=lambda each: (tiers[each], each))
        return f"{executor}/{size}", tiers[size], () if size == tier else ("tier",)

    def _service_tier(self, word: str) -> tuple[int, tuple[Doubt, ...]]:
        known = self._table.service_tiers
        return (known[word], ()) if word in known else (max(known.values()), ("service_tier",))

    def _server_tools(self, uses: Mapping[str, int]) -> tuple[int, tuple[Doubt, ...]]:
        known = self._table.server_tools
        dearest = max(known.values())
        units = sum(known.get(tool, dearest) * count for tool, count in uses.items()) * TOOL_UNIT
        return units, ("server_tool",) if any(uses[tool] for tool in uses.keys() - known.keys()) else ()


def _tokens(rates: Rates, used: Metered) -> int:
    return (
        rates.input * used.input
        + rates.output * used.output
        + rates.cache_read * used.cache_read
        + rates.cache_write_5m * used.cache_write_5m
        + rates.cache_write_1h * used.cache_write_1h
    )


def _micro_usd(units: int, unit: int = UNIT) -> int:
    return max(half_up(units, unit), 1 if units else 0)
