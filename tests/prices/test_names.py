"""The spellings of models, and what becomes of a name that is not in the table."""

from datetime import date

import pytest

from swarm_hub.prices import Cost, Metered, Prices

TODAY = date(2026, 11, 23)
USED = Metered(input=1_000, output=1_000)

SPELLINGS: dict[str, list[str]] = {
    "claude-opus-5-5": ["opus", "opus[1m]", "OPUS", "claude-opus-5-5[1m]", "~anthropic/claude-opus-latest"],
    "claude-sonnet-5-5": ["sonnet", "sonnet[1m]", "vertex_ai/claude-sonnet-5-5@default", "anthropic.claude-sonnet-5-5"],
    "claude-haiku-5-5": ["haiku", "github_copilot/claude-haiku-5.5"],
    "claude-fable-5-2": ["fable", "claude-fable-5-2-20261120"],
    "claude-sonnet-4-5": [
        "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5@20250929", "claude-4.5-sonnet",
        "anthropic/claude-sonnet-4.5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic:claude-sonnet-4-5",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock/eu-central-1/anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-latest",
        "openrouter/anthropic/claude-sonnet-4.5", " claude-sonnet-4-5 ",
    ],
    "claude-opus-4-6": ["anthropic.claude-opus-4-6-v1", "anthropic/claude-opus-4.6-fast"],
    "claude-opus-4": ["claude-opus-4-0", "claude-opus-4-20250514", "claude-4-opus-20250514", "team-claude-opus-4"],
    "claude-3-5-sonnet": ["claude-3-5-sonnet-20241022", "anthropic.claude-3-5-sonnet-20241022-v2:0"],
    "claude-3-opus": ["claude-3-opus-latest", "claude-3-opus@20240229"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("model", "spelling"), [(model, spelling) for model, spellings in SPELLINGS.items() for spelling in spellings]
)
def test_a_model_has_one_price_however_it_is_spelt(prices: Prices, model: str, spelling: str) -> None:
    cost = prices.cost(spelling, USED, TODAY)
    assert (cost.priced_as, cost.estimated) == (model, False)


def test_a_fast_mode_sold_as_a_model_of_its_own_has_the_price_of_the_fast_mode(prices: Prices) -> None:
    assert prices.cost("anthropic/claude-opus-4.6-fast", USED, TODAY).micro_usd == 180_000


@pytest.mark.parametrize(
    ("model", "priced_as", "micro_usd"),
    [
        ("claude-opus-9", "claude-opus-4-1", 90_000),
        ("claude-opus-9-20300101", "claude-opus-4-1", 90_000),
        ("opusplan", "claude-opus-4-1", 90_000),
        ("claude-opus-5-5:thinking", "claude-opus-4-1", 90_000),
        ("eu.anthropic.claude-haiku-6-v1:0", "claude-haiku-4-5", 6_600),
        ("claude-fable-7", "claude-fable-5-1", 60_000),
    ],
)
def test_an_unknown_model_is_priced_by_the_dearest_of_its_family(
    prices: Prices, model: str, priced_as: str, micro_usd: int
) -> None:
    assert prices.cost(model, USED, TODAY) == Cost(micro_usd, priced_as, ("model",))


@pytest.mark.parametrize("model", ["claude-epic-1", "claude-2.1", "gpt-5", "claude", "", "..", "²"])
def test_an_unknown_family_is_priced_by_the_dearest_of_all(prices: Prices, model: str) -> None:
    assert prices.cost(model, USED, TODAY) == Cost(90_000, "claude-opus-4-1", ("family",))


def test_what_is_dearest_depends_on_what_was_used(prices: Prices) -> None:
    tiny, long = Metered(cache_read=1_000), Metered(cache_read=300_000)
    assert prices.cost("claude-haiku-9", tiny, TODAY).priced_as == "claude-haiku-4-5"
    assert prices.cost("claude-sonnet-9", long, TODAY).micro_usd == 180_000  # 0.6 each, as sonnet-4-5 above 200,000


def test_the_fast_mode_of_an_unknown_model_is_the_dearest_known_one(prices: Prices) -> None:
    used = Metered(input=1_000, output=1_000, speed="fast")
    assert prices.cost("claude-opus-9", used, TODAY) == Cost(180_000, "claude-opus-4-7", ("model",))


@pytest.mark.parametrize(
    ("used", "micro_usd", "doubt"),
    [
        (Metered(input=1_000, service_tier="premium"), 4_000, "service_tier"),
        (Metered(input=1_000, speed="ludicrous"), 8_000, "speed"),
        (Metered(server_tools={"mind_reading_requests": 2}), 20_000, "server_tool"),
    ],
)
def test_an_unknown_word_in_the_usage_is_priced_by_the_dearest_known_one(
    prices: Prices, used: Metered, micro_usd: int, doubt: str
) -> None:
    cost = prices.cost("claude-opus-5-5", used, TODAY)
    assert (cost.micro_usd, cost.doubts, cost.basis) == (micro_usd, (doubt,), f"unknown {doubt}")


def test_a_fast_mode_that_a_model_does_not_have_costs_the_dearest_factor(prices: Prices) -> None:
    cost = prices.cost("claude-sonnet-5-5", Metered(input=1_000, speed="fast"), TODAY)
    assert (cost.micro_usd, cost.doubts) == (12_000, ("speed",))


def test_all_that_was_not_known_is_named_once(prices: Prices) -> None:
    used = Metered(input=1, service_tier="x", speed="y", server_tools={"z": 1})
    assert prices.cost("claude-haiku-9", used, TODAY).basis == "unknown model,speed,service_tier,server_tool"


def test_a_server_tool_that_was_not_used_raises_no_doubt(prices: Prices) -> None:
    assert not prices.cost("opus", Metered(server_tools={"mind_reading_requests": 0}), TODAY).estimated


def test_an_unknown_machine_costs_as_much_as_the_dearest_known_one(prices: Prices) -> None:
    assert prices.machine("moon", "light", 1_000) == Cost(120, "azure/heavy", ("executor",))
    assert prices.machine("fly", "vast", 1_000) == Cost(9, "fly/heavy", ("tier",))
