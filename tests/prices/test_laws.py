"""What holds for whatever is used, of whatever model."""

import tomllib
from dataclasses import fields, replace
from datetime import date
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from swarm_hub.prices import CacheWrites, Metered, Prices
from swarm_hub.prices.pricing import SHIPPED

PRICES = Prices.load()
TABLE: dict[str, Any] = tomllib.loads(SHIPPED.read_text(), parse_float=Fraction)
TODAY = date(2026, 11, 23)
CLASSES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
EDGES = [0, 1, 50_000, 100_000, 100_001, 200_000, 200_001]  # where long context begins, and about there
LONGEST: tuple[CacheWrites, ...] = ("none", "5m", "1h")
SMALL = 10_000  # five of them do not reach long context

days = st.dates(date(2024, 1, 1), date(2027, 1, 1))
listed = st.sampled_from([entry["id"] for entry in TABLE["model"]])
models = listed | st.sampled_from(["opus", "claude-opus-9", "claude-sonnet-9", "claude-haiku-9", "gpt-5", ""])
tools = st.dictionaries(
    st.sampled_from(["web_search_requests", "web_fetch_requests", "new_requests"]), st.integers(0, 50)
)


def metered(most: int) -> st.SearchStrategy[Metered]:
    edges = st.sampled_from([edge for edge in EDGES if edge <= most])
    return st.builds(Metered, **{name: edges | st.integers(0, most) for name in CLASSES}, server_tools=tools)


requests = metered(300_000).flatmap(
    lambda used: st.builds(
        replace,
        st.just(used),
        service_tier=st.sampled_from(["standard", "batch", "priority", "new"]),
        speed=st.sampled_from(["standard", "fast", "new"]),
        region=st.sampled_from(["", "global", "us", "not_available"]),
    )
)


def counts(used: Metered) -> list[int]:
    return [getattr(used, name) for name in CLASSES]


def added(one: Metered, other: Metered) -> Metered:
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in CLASSES})


@given(models, requests, st.sampled_from(CLASSES), st.integers(0, 300_000), days)
def test_more_tokens_never_cost_less(model: str, used: Metered, name: str, more: int, on: date) -> None:
    grown = replace(used, **{name: getattr(used, name) + more})
    assert PRICES.cost(model, grown, on).micro_usd >= PRICES.cost(model, used, on).micro_usd


@given(models, requests, st.sampled_from(["web_search_requests", "new_requests"]), days)
def test_more_uses_of_server_tools_cost_more(model: str, used: Metered, tool: str, on: date) -> None:
    grown = replace(used, server_tools={**used.server_tools, tool: used.server_tools.get(tool, 0) + 1})
    assert PRICES.cost(model, grown, on).micro_usd >= PRICES.cost(model, used, on).micro_usd + 10_000


@given(models, requests, days)
def test_a_request_that_used_tokens_is_never_free(model: str, used: Metered, on: date) -> None:
    assert (PRICES.cost(model, used, on).micro_usd > 0) >= any(counts(used))


@given(listed, metered(SMALL), metered(SMALL), days)
def test_the_whole_costs_its_parts_up_to_their_rounding(model: str, one: Metered, other: Metered, on: date) -> None:
    one, other = replace(one, server_tools={}), replace(other, server_tools={})
    parts = PRICES.cost(model, one, on).micro_usd + PRICES.cost(model, other, on).micro_usd
    # Each part is rounded by half a micro-dollar at most, or from next to nothing to one.
    assert -1 <= parts - PRICES.cost(model, added(one, other), on).micro_usd <= 2


@given(models, requests, st.integers(0, 200_000), st.integers(0, 10_000), st.integers(0, 5), days)
def test_no_request_costs_more_than_its_worst_case(
    model: str, used: Metered, spare_input: int, spare_output: int, spare_uses: int, on: date
) -> None:
    bound = PRICES.worst_case(
        model,
        used.prompt + spare_input,
        used.output + spare_output,
        on,
        speed=used.speed,
        tool_uses=sum(used.server_tools.values()) + spare_uses,
    )
    assert bound.micro_usd >= PRICES.cost(model, used, on).micro_usd


@given(models, requests, st.sampled_from(LONGEST), days)
def test_no_request_costs_more_than_the_worst_case_of_the_caches_it_may_write(
    model: str, used: Metered, longest: CacheWrites, on: date
) -> None:
    if longest == "none":
        used = replace(used, cache_write_5m=0)
    if longest != "1h":
        used = replace(used, cache_write_1h=0)
    uses = sum(used.server_tools.values())
    bound = PRICES.worst_case(
        model, used.prompt, used.output, on, speed=used.speed, tool_uses=uses, cache_writes=longest
    )
    assert bound.micro_usd >= PRICES.cost(model, used, on).micro_usd


@given(listed, st.integers(100, 300_000), days)  # of fewer tokens both may round to one micro-dollar
def test_a_request_that_writes_no_cache_for_an_hour_has_a_lower_worst_case(model: str, tokens: int, on: date) -> None:
    none, short, long = (PRICES.worst_case(model, tokens, 0, on, cache_writes=longest).micro_usd for longest in LONGEST)
    assert none <= short <= long
    assert none < long


@given(listed, metered(300_000), st.sampled_from(["standard", "batch"]), st.booleans(), days)
def test_the_cost_is_the_exact_sum_by_the_file_rounded_once(
    model: str, used: Metered, tier: str, regional: bool, on: date
) -> None:
    used = replace(used, server_tools={}, service_tier=tier, region="us" if regional else "global")
    entry = entry_of(model, on)
    exact = sum(count * price for count, price in zip(counts(used), prices_of(entry, used.prompt), strict=True))
    exact *= Fraction(TABLE["service_tiers"][tier]) * (entry.get("regional", 1) if regional else 1)
    rounded = int(exact + Fraction(1, 2))
    assert PRICES.cost(model, used, on).micro_usd == (rounded or (1 if exact else 0))


def entry_of(model: str, on: date) -> dict[str, Any]:
    entries: list[dict[str, Any]] = sorted(
        (each for each in TABLE["model"] if each["id"] == model), key=lambda each: each["from"]
    )
    valid = [entry for entry in entries if entry["from"] <= on]
    return valid[-1] if valid else entries[0]


def prices_of(entry: dict[str, Any], prompt: int) -> list[Fraction]:
    for band in entry.get("long_context", []):
        entry = band if prompt > band["above"] else entry
    cache = TABLE["cache"]
    by_factor = {f"cache_{name}": entry["input"] * cache[name] for name in ("read", "write_5m", "write_1h")}
    return [Fraction(entry[name] if name in entry else by_factor[name]) for name in CLASSES]


def test_every_class_of_tokens_is_among_those_tried() -> None:
    assert {field.name for field in fields(Metered)} - set(CLASSES) == {
        "server_tools",
        "service_tier",
        "speed",
        "region",
    }
