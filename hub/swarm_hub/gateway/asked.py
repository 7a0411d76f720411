"""What a call to the model asks for, as far as its price depends on it: never less than it will be billed for."""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from swarm_hub.gateway.prompt import read_prompt
from swarm_hub.gateway.refusals import Refused
from swarm_hub.gateway.tools import ServerTools, read_server_tools
from swarm_hub.prices import CacheWrites

LONGEST = 32 * 1024 * 1024  # bytes; Anthropic's own limit for a request
MOST_TOKENS = 10_000_000  # of an answer; no model says so much
MOST_PARTS = 500_000  # brackets and commas of a body, of which no prompt has so many: each part costs time and memory
UNBOUNDED = ("mcp_servers", "container", "fallbacks")  # other servers' answers, machines, models: none has a limit

SHORTEST = 16_000  # tokens of an answer: where there is money for less, there is none

_FIELD = re.compile(r"[a-z0-9_]+")

COUNT_IS_SHORT = 50  # the API calls its count an estimate: so many parts of it, and
COUNT_LACKS = 100  # so many tokens, may be missing


@dataclass(frozen=True)
class Asked:
    """No more than `input_tokens` will be billed, if it is `bounded` at all; `guessed_tokens` are what is likely.

    `max_tokens` bounds the output, `tool_uses` the uses of servers' tools, `cache_writes` how long the prompt is kept.
    `thinking_tokens` of the output are for thinking.
    """

    model: str
    max_tokens: int
    input_tokens: int
    speed: str = "standard"
    guessed_tokens: int = 0
    cache_writes: CacheWrites = "1h"
    bounded: bool = True
    tools: ServerTools = field(default_factory=ServerTools)
    thinking_tokens: int = 0

    @property
    def tool_uses(self) -> int:
        return self.tools.uses

    @property
    def least_tokens(self) -> int:
        """The shortest answer that is worth asking for."""
        return min(self.max_tokens, self.thinking_tokens + SHORTEST)

    def shortened(self, max_tokens: int) -> "Asked":
        return replace(self, max_tokens=max_tokens)

    def counted(self, tokens: int) -> "Asked":
        """The same, now that the API has counted its prompt."""
        most = self.tools.with_results(tokens + -(-tokens // COUNT_IS_SHORT) + COUNT_LACKS)
        known = min(most, self.input_tokens) if self.bounded else most
        return replace(self, input_tokens=known, guessed_tokens=min(tokens, known), bounded=True)


def read_asked(body: bytes) -> Asked:
    """Raises `Refused` for what the Messages API would not take either, and for what no budget could bear."""
    fields, cache_writes = _read(body)
    for name in UNBOUNDED:
        if fields.get(name):
            raise Refused(
                "invalid_request_error", f"{name}: not through this hub, as nobody could tell its cost before"
            )
    _refuse_compaction(fields.get("context_management"))
    model, speed = _model(fields), fields.get("speed")
    prompt = read_prompt(fields, len(body))
    for tool in prompt.tools:
        _refuse_disguises(tool)
    tools = read_server_tools(prompt.tools)
    return Asked(
        model=model,
        max_tokens=_max_tokens(fields),
        input_tokens=tools.with_results(prompt.most),
        speed=speed if isinstance(speed, str) else "standard",
        guessed_tokens=prompt.likely,
        cache_writes=cache_writes,
        bounded=prompt.bounded,
        tools=tools,
        thinking_tokens=_thinking_tokens(fields.get("thinking")),
    )


def shortened(body: bytes, max_tokens: int) -> bytes:
    """The same request for a shorter answer."""
    return json.dumps({**json.loads(body), "max_tokens": max_tokens}).encode()


def _read(body: bytes) -> tuple[dict[str, Any], CacheWrites]:
    """The body's fields, and how long at most it has anything of them cached."""
    if sum(map(body.count, (b"{", b"[", b","))) > MOST_PARTS:
        raise Refused("invalid_request_error", f"the body has more than {MOST_PARTS:,} parts")
    caching = _Caching()
    try:
        fields = json.loads(body.decode(), object_pairs_hook=caching.object_of)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise Refused("invalid_request_error", "the body must be a JSON object")
    _refuse_disguises(fields)
    return fields, caching.longest


def _refuse_disguises(fields: dict[str, Any]) -> None:
    """Some readers take `Max_Tokens` for `max_tokens`, and all that the API knows is written small."""
    for name in fields:
        if not _FIELD.fullmatch(name):
            raise Refused("invalid_request_error", f"{ascii(name)[:80]}: no field of the Messages API")


class _Caching:
    """Looks at every object of a body while it is parsed."""

    longest: CacheWrites = "none"

    def object_of(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        # Of a name that comes twice, one reader takes the first value and another the last.
        if len(found) != len(pairs):
            raise Refused("invalid_request_error", "the body gives a field twice")
        if "cache_control" in found:
            self._note(found["cache_control"])
        return found

    def _note(self, control: Any) -> None:
        short = control is None or (isinstance(control, dict) and control.get("ttl", "5m") == "5m")
        if not short:
            self.longest = "1h"
        elif self.longest == "none":
            self.longest = "5m"


def _model(fields: dict[str, Any]) -> str:
    model = fields.get("model")
    if not isinstance(model, str) or not model.isprintable() or not 0 < len(model) <= 200:
        raise Refused("invalid_request_error", "model: Input should be the name of a model")
    return model


def _max_tokens(fields: dict[str, Any]) -> int:
    """Refuses it in the Messages API's own words."""
    if "max_tokens" not in fields:
        raise Refused("invalid_request_error", "max_tokens: Field required")
    most = fields["max_tokens"]
    if not isinstance(most, int) or isinstance(most, bool):
        raise Refused("invalid_request_error", "max_tokens: Input should be a valid integer")
    if most < 1:
        raise Refused("invalid_request_error", "max_tokens: Input should be greater than or equal to 1")
    if most > MOST_TOKENS:
        raise Refused("invalid_request_error", f"max_tokens: Input should be less than or equal to {MOST_TOKENS}")
    return most


def _thinking_tokens(thinking: Any) -> int:
    tokens = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    return tokens if isinstance(tokens, int) and 0 < tokens <= MOST_TOKENS else 0


def _refuse_compaction(management: Any) -> None:
    """Another answer of the model's, within the one that was asked for, that no field bounds."""
    edits = management.get("edits") if isinstance(management, dict) else None
    for edit in edits if isinstance(edits, list) else []:
        kind = edit.get("type") if isinstance(edit, dict) else None
        if isinstance(kind, str) and kind.startswith("compact"):
            raise Refused("invalid_request_error", f"context_management: {kind} cannot be had through this hub")
