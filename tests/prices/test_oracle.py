"""The same bills by a public price list: the package genai-prices."""

import tomllib
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal

import genai_prices
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from claude.bill import bill
from claude.conversations import CONVERSATIONS
from swarm_hub.prices import Metered, Prices
from swarm_hub.prices.pricing import SHIPPED

PRICES = Prices.load()
MODELS = sorted({entry["id"] for entry in tomllib.loads(SHIPPED.read_text())["model"]})

NOT_IN_IT = ["claude-mythos-5", "claude-mythos-5-1"]
"""Sold to few; their prices are litellm's."""

WITHOUT_SEARCH = ["claude-3-haiku", "claude-3-opus", "claude-3-sonnet"]
"""They could not search, and the list has no price for it."""

WITHOUT_BATCH = ["claude-3-5-haiku", "claude-3-5-sonnet", "claude-3-7-sonnet", "claude-3-haiku", "claude-3-opus",
                 "claude-3-sonnet", "claude-opus-4", "claude-opus-4-1", "claude-sonnet-4"]  # fmt: skip
"""Retired when its batch prices were written down. They were half price in their time too."""

WITH_FAST = ["claude-fable-5-2", "claude-mythos-5-2", "claude-opus-4-8", "claude-opus-5", "claude-opus-5-5"]
"""Not claude-opus-4-6 and 4-7: their fast mode is over, and the list has its price among another seller's alone."""

BEDROCK = [
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "global.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0", "us.anthropic.claude-opus-5-5", "global.anthropic.claude-opus-5-5",
    "eu.anthropic.claude-opus-4-1-20250805-v1:0", "anthropic.claude-opus-4-5-20251101-v1:0",
    "us.anthropic.claude-sonnet-5-5", "us.anthropic.claude-3-5-haiku-20241022-v1:0",
]  # fmt: skip

LONGEST = {"claude-sonnet-4": 200_000, "us.anthropic.claude-sonnet-4-5-20250929-v1:0": 200_000}
"""The longest prompt on which both agree: beyond it these cost more, which litellm has and this list forgets."""

BATCH_SINCE = date(2026, 10, 14)
"""Half price since 2024; the list says so from here on."""

counts = st.integers(0, 300_000) | st.sampled_from([0, 50_000, 100_000, 100_001, 200_000, 200_001])
searches = st.integers(0, 20).map(lambda n: {"web_search_requests": n} if n else {})
requests = st.builds(
    Metered,
    input=counts,
    output=counts,
    cache_read=counts,
    cache_write_5m=counts,
    cache_write_1h=counts,
    server_tools=searches,
)
recent = st.dates(BATCH_SINCE, date(2026, 11, 23))


def known_without(*missing: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from([model for model in MODELS if not any(model in each for each in (NOT_IN_IT, *missing))])


def public(model: str, used: Metered, on: date, provider: str = "anthropic", **context: str) -> int:
    """Micro-dollars by the public list, rounded as ours are."""
    uses = sum(used.server_tools.values())
    usage = genai_prices.Usage(
        input_tokens=used.prompt,
        output_tokens=used.output,
        cache_read_tokens=used.cache_read,
        cache_write_tokens=used.cache_write_5m + used.cache_write_1h,
        cache_write_5m_tokens=used.cache_write_5m,
        cache_write_1h_tokens=used.cache_write_1h,
        **({"web_searches": uses} if uses else {}),
    )
    found = genai_prices.calc_price(
        usage,
        model,
        provider_id=provider,
        genai_request_timestamp=datetime.combine(on, time(12), UTC),
        price_context=context or None,
    )
    exact: Decimal = found.total_price * 1_000_000
    rounded = int(exact.to_integral_value(ROUND_HALF_UP))
    return rounded or (1 if exact else 0)


def ours(model: str, used: Metered, on: date) -> int:
    cost = PRICES.cost(model, used, on)
    assert set(cost.doubts) <= {"day"}
    return cost.micro_usd


@settings(max_examples=300, deadline=None)
@given(known_without(), requests, st.dates(date(2024, 3, 1), date(2026, 11, 23)))
def test_both_make_the_same_bill(model: str, used: Metered, on: date) -> None:
    assume(used.prompt <= LONGEST.get(model, used.prompt))
    if model in WITHOUT_SEARCH:
        used = replace(used, server_tools={})
    assert ours(model, used, on) == public(model, used, on)


@settings(max_examples=300, deadline=None)
@given(known_without(WITHOUT_BATCH), requests, recent)
def test_both_make_the_same_bill_of_a_batch(model: str, used: Metered, on: date) -> None:
    assert ours(model, replace(used, service_tier="batch"), on) == public(model, used, on, processing="batch")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(WITH_FAST), requests, recent)
def test_both_make_the_same_bill_of_the_fast_mode(model: str, used: Metered, on: date) -> None:
    assert ours(model, replace(used, speed="fast"), on) == public(model, used, on, speed="fast")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BEDROCK), requests, recent)
def test_both_make_the_same_bill_of_bedrock_and_its_regions(model: str, used: Metered, on: date) -> None:
    assume(used.prompt <= LONGEST.get(model, used.prompt))
    used = replace(used, server_tools={}, cache_write_1h=0)
    assert ours(model, used, on) == public(model, used, on, provider="aws")


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_both_make_the_bill_of_a_conversation_that_was_worked_out_by_hand(name: str) -> None:
    """Of what Claude Code used with the scripted model, which tests/claude/test_bill.py holds against the record."""
    answers = CONVERSATIONS[name].answers
    used = [(model, Metered(**asdict(usage)), date(2026, 11, 23)) for model, usage in answers]
    assert (sum(ours(*each) for each in used), sum(public(*each) for each in used)) == (bill(answers),) * 2


@pytest.mark.parametrize("model", NOT_IN_IT)
def test_a_model_said_to_be_missing_in_the_list_is(model: str) -> None:
    with pytest.raises(LookupError):
        public(model, Metered(input=1), BATCH_SINCE)


@pytest.mark.parametrize("model", WITHOUT_BATCH)
def test_a_batch_said_to_be_missing_in_the_list_is(model: str) -> None:
    used = Metered(input=1_000)
    assert public(model, used, BATCH_SINCE, processing="batch") == 2 * ours(
        model, replace(used, service_tier="batch"), BATCH_SINCE
    )


@pytest.mark.parametrize(("model", "longest"), LONGEST.items())
def test_long_context_said_to_be_missing_in_the_list_is(model: str, longest: int) -> None:
    used = Metered(input=longest + 1)
    provider = "aws" if model.startswith("us.") else "anthropic"
    assert ours(model, used, BATCH_SINCE) == pytest.approx(2 * public(model, used, BATCH_SINCE, provider), abs=2)
