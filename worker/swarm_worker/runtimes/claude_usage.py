"""What a conversation used and cost, as differences.

The CLI counts for each model, over the whole session: subagents and its own requests are in, and so is what the
session used before it was resumed, except for what a killed process had not written down yet. So the count is read
when the process starts, and from then on only what was added is reported. Adding up the usage of messages would be
wrong: the same message is repeated for each of its blocks, and subagents stream none.
"""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from swarm_api.worker import UsageReport


class Count(NamedTuple):
    """One model's count, in the order and with the names of a `UsageReport`."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cost_micro_usd: int = 0


class Meter:
    """Remembers what is reported. A count that is lower than that is an older one, and adds nothing."""

    def __init__(self, before: Mapping[str, Mapping[str, Any]]) -> None:
        self._reported = {model: _count(usage) for model, usage in before.items()}

    def reports(self, model_usage: Mapping[str, Mapping[str, Any]]) -> Iterator[UsageReport]:
        """What was added for each model."""
        for model, usage in model_usage.items():
            before = self._reported.get(model, Count())
            now = Count(*map(max, _count(usage), before))
            self._reported[model] = now
            if now != before:
                added = (after - earlier for after, earlier in zip(now, before, strict=True))
                yield UsageReport(model=model, **Count(*added)._asdict())

    def restart(self) -> None:
        """The CLI counts from zero again: the conversation was cleared."""
        self._reported.clear()


def _count(usage: Mapping[str, Any]) -> Count:
    hour = usage.get("cacheCreationEphemeral1hInputTokens", 0)
    return Count(
        input=usage["inputTokens"],
        output=usage["outputTokens"],
        cache_read=usage["cacheReadInputTokens"],
        # Writes of unknown lifetime count as short ones; that is also how the CLI prices them.
        cache_write_5m=usage["cacheCreationInputTokens"] - hour,
        cache_write_1h=hour,
        # The total is rounded and differences are taken after that, so that they add up to it.
        cost_micro_usd=int((Decimal(str(usage["costUSD"])) * 1_000_000).to_integral_value(ROUND_HALF_UP)),
    )
