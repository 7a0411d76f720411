"""What a token was paid with on average, and what would have been paid at other prices.

The hub's table of prices stays in the hub; what was paid tells enough of it. The usual factors are those of
platform.claude.com/docs/en/about-claude/pricing, and hold for the shipped table's models but for a few.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd  # type: ignore[import-untyped]

from swarm_notebooks.units import MICRO

FACTORS: Mapping[str, float] = {
    "input_tokens": 1.0,
    "output_tokens": 5.0,
    "cache_read_tokens": 0.1,
    "cache_write_5m_tokens": 1.25,
    "cache_write_1h_tokens": 2.0,
}
"""What a token costs, in tokens of input."""
_OUTPUT = FACTORS["output_tokens"]


class Price(NamedTuple):
    """Dollars for a million tokens of input and of output; caches by the usual factors of input."""

    input: float
    output: float


def weighed(tokens: pd.DataFrame) -> "pd.Series[float]":
    """Tokens as so many tokens of input."""
    return sum(
        (tokens[name].astype("float64") * factor for name, factor in FACTORS.items()), pd.Series(0.0, tokens.index)
    )


def paid(tokens: pd.DataFrame) -> dict[str, Price]:
    """What each model was paid with, on average over all its kinds of tokens; a row of `tokens` for each model."""
    mean = tokens["cost_micro_usd"].astype("float64") / weighed(tokens).clip(lower=1)
    return {model: Price(price, price * _OUTPUT) for model, price in mean.items()}


def cost_at(tokens: pd.DataFrame, prices: Mapping[str, Price]) -> "pd.Series[float]":
    """Dollars for each row of `tokens` (by model) at these prices."""
    of_output = tokens["output_tokens"].astype("float64")
    of_input = weighed(tokens) - _OUTPUT * of_output
    rates = pd.DataFrame([prices[model] for model in tokens.index], tokens.index, ["input", "output"], dtype="float64")
    return (of_input * rates["input"] + of_output * rates["output"]) / MICRO


def savings(tokens: pd.DataFrame, per_model: pd.DataFrame) -> "pd.Series[float]":
    """Dollars that each row of `tokens` had cost more, had no cache been written or read."""
    rate = tokens["model"].map({model: price.input for model, price in paid(per_model).items()}).astype("float64")
    more = sum(
        tokens[name].astype("float64") * (1 - factor) for name, factor in FACTORS.items() if name.startswith("cache")
    )
    return rate * more / MICRO
