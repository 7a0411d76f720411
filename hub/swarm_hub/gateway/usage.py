"""What the Messages API says a call used."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from swarm_hub.prices import Metered

MOST = 2**40  # tokens of one call; a number above is a mistake of somebody's, and no sum bears it


def told(known: Metered, usage: Any) -> Metered:
    """With what another `usage` object of the same answer says. What it leaves out stays, and no number falls."""
    if not isinstance(usage, Mapping):
        return known
    five, hour = _writes(usage)
    return replace(
        known,
        input=max(known.input, _count(usage, "input_tokens")),
        output=max(known.output, _count(usage, "output_tokens")),
        cache_read=max(known.cache_read, _count(usage, "cache_read_input_tokens")),
        cache_write_5m=max(known.cache_write_5m, five),
        cache_write_1h=max(known.cache_write_1h, hour),
        server_tools={**known.server_tools, **_server_tools(usage)},
        service_tier=_word(usage, "service_tier") or known.service_tier,
        region=_word(usage, "inference_geo") or known.region,
        speed=_word(usage, "speed") or known.speed,
    )


def tells(usage: Any, name: str, least: int = 0) -> bool:
    """Whether it has this count, and no less."""
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _writes(usage: Mapping[str, Any]) -> tuple[int, int]:
    """Writes for 5 minutes and for an hour. Those of unknown lifetime are short ones, which are the default."""
    detail = usage.get("cache_creation")
    hour = _count(detail, "ephemeral_1h_input_tokens")
    total = max(_count(usage, "cache_creation_input_tokens"), hour + _count(detail, "ephemeral_5m_input_tokens"))
    return total - hour, hour


def _server_tools(usage: Mapping[str, Any]) -> dict[str, int]:
    uses = usage.get("server_tool_use")
    return {str(name)[:64]: _count(uses, name) for name in uses} if isinstance(uses, Mapping) else {}


def _count(of: Any, name: str) -> int:
    value = of.get(name) if isinstance(of, Mapping) else None
    return min(value, MOST) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _word(of: Mapping[str, Any], name: str) -> str | None:
    value = of.get(name)
    return value[:40] if isinstance(value, str) and value else None
