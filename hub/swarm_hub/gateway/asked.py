"""What a call to the model asks for, as far as its price depends on it."""

from typing import Any, NamedTuple

from pydantic_core import from_json

from swarm_hub.gateway.refusals import Refused

LONGEST = 32 * 1024 * 1024  # bytes; Anthropic's own limit for a request
BYTES_PER_TOKEN = 2  # real tokens of prompts are longer, so that the estimate errs upward


class Asked(NamedTuple):
    """`input_tokens` is an upper estimate."""

    model: str
    max_tokens: int
    input_tokens: int
    speed: str = "standard"


def read_asked(body: bytes) -> Asked:
    """Raises `Refused` for what the Messages API would not take either."""
    try:
        asked: Any = from_json(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("model"), str):
        raise Refused("invalid_request_error", "the body must be a JSON object with a model")
    limit, speed = asked.get("max_tokens"), asked.get("speed")
    most = limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else 0
    fast = speed if isinstance(speed, str) else "standard"
    return Asked(asked["model"][:200], most, -(-len(body) // BYTES_PER_TOKEN), fast)
