"""What is billed, and the bill."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Doubt = Literal["model", "family", "day", "service_tier", "speed", "server_tool", "executor", "tier"]
"""What of a bill the table did not know, so that the dearest it knows stood in."""

CacheWrites = Literal["none", "5m", "1h"]
"""How long at most a request has its prompt kept in a cache."""


@dataclass(frozen=True, slots=True)
class Metered:
    """One request as the model's API reported it. Raises `ValueError` for a count below zero.

    `input` is what was neither read from nor written to a cache. `service_tier`, `speed` and `region`
    (`inference_geo`) are the API's own words, `server_tools` its `server_tool_use`.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    server_tools: Mapping[str, int] = field(default_factory=dict)
    service_tier: str = "standard"
    speed: str = "standard"
    region: str = "global"

    def __post_init__(self) -> None:
        counts = (self.input, self.output, self.cache_read, self.cache_write_5m, self.cache_write_1h)
        if min(*counts, *self.server_tools.values()) < 0:
            raise ValueError(f"a request cannot use less than nothing: {self}")

    @property
    def prompt(self) -> int:
        """The whole prompt, by which long-context prices are chosen."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h


@dataclass(frozen=True, slots=True)
class Cost:
    """What something cost, whose prices that were, and what the table did not know about it."""

    micro_usd: int
    priced_as: str
    doubts: tuple[Doubt, ...] = ()

    @property
    def estimated(self) -> bool:
        return bool(self.doubts)

    @property
    def basis(self) -> str:
        """`listed`, or `unknown ` and what was not known, comma separated."""
        return "unknown " + ",".join(self.doubts) if self.doubts else "listed"
