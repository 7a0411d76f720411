"""Whatever an agent sends, the gateway knows its bound or refuses it in the Messages API's words."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from swarm_hub.gateway.asked import Asked, read_asked
from swarm_hub.gateway.refusals import Refused

WORDS = st.sampled_from([
    "model", "max_tokens", "messages", "system", "tools", "content", "type", "source", "data", "role", "name", "ttl",
    "cache_control", "citations", "enabled", "file_id", "tool", "tool_name", "definition", "max_uses", "edits",
    "context_management", "thinking", "budget_tokens", "speed", "mcp_servers", "container", "image", "document",
    "base64", "text", "url", "tool_result", "tool_reference", "tool_addition", "tool_definition", "ephemeral", "1h",
    "web_search_20250305", "bash_20250124", "compact_20260112", "custom", "fast", "user", "claude-sonnet-4-5",
])  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats() | WORDS | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=30
)
CALLS = st.fixed_dictionaries(
    {"model": st.just("claude-sonnet-4-5"), "max_tokens": st.just(100)},
    optional={
        "messages": st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": VALUES}), max_size=3),
        "tools": VALUES, "system": VALUES, "thinking": VALUES, "context_management": VALUES, "speed": VALUES,
    },
)  # fmt: skip


def read(body: bytes) -> Asked | None:
    try:
        return read_asked(body)
    except Refused:
        return None


def strings(value: Any) -> int:
    """The bytes of all that a value says."""
    if isinstance(value, dict):
        return sum(strings(name) + strings(inner) for name, inner in value.items())
    if isinstance(value, list):
        return sum(map(strings, value))
    return len(str(value).encode(errors="replace"))


@given(VALUES | CALLS)
def test_no_body_is_too_odd_to_be_read_or_refused(value: Any) -> None:
    read(json.dumps(value).encode())


@given(st.binary(max_size=200))
def test_no_bytes_are_too_odd(body: bytes) -> None:
    read(body)


@given(CALLS)
def test_the_bound_is_never_under_the_bytes_that_are_no_image(call: dict[str, Any]) -> None:
    """No image here has more data than the 5,000 bytes that it counts for."""
    asked = read(json.dumps(call).encode())
    assert asked is None or asked.input_tokens >= strings(call)


@given(CALLS, st.text(max_size=2_000))
def test_more_text_never_has_a_lower_bound(call: dict[str, Any], more: str) -> None:
    messages = [*call.get("messages", []), {"role": "user", "content": more}]
    one, other = read(json.dumps(call).encode()), read(json.dumps({**call, "messages": messages}).encode())
    assert one is None or (other is not None and other.input_tokens >= one.input_tokens + len(more.encode()))
