"""What an agent writes into a call neither passes for less than another reader takes it for, nor stops the hub."""

import json
from typing import Any

import pytest

from swarm_hub.gateway.asked import LONGEST, Asked, read_asked
from swarm_hub.gateway.refusals import Refused

HEAD = b'{"model":"claude-haiku-4-5","max_tokens":1,"messages":['


def call(**fields: Any) -> bytes:
    return json.dumps({"model": "claude-haiku-4-5", "max_tokens": 1, "messages": [], **fields}).encode()


@pytest.mark.parametrize("part", [b"{},", b"[],", b"1,", b'"",', b'{"content":[{}]},'])
def test_a_body_of_crumbs_is_not_even_taken_apart(part: bytes) -> None:
    """32 MB of them took half a minute and 1.7 GB, in which the hub did nothing else."""
    body = HEAD + part * ((LONGEST - 100) // len(part)) + b"0]}"
    with pytest.raises(Refused, match="parts"):
        read_asked(body)


def test_a_prompt_as_long_as_any_models_memory_is_read() -> None:
    """4 MB of code are about a million tokens."""
    code = 'call(first, {"name": [1, 2]})\n' * (4_000_000 // 30)
    assert isinstance(read_asked(call(messages=[{"role": "user", "content": code[:3_000_000]}])), Asked)


@pytest.mark.parametrize(
    "name", ["MAX_TOKENS", "Model", "max_to\u212aens", "\u017fpeed", "max_tokens ", "mcp-servers", ""]
)
def test_a_field_that_another_reader_may_take_for_one_that_costs_is_refused(name: str) -> None:
    """Of names that differ in capitals alone, or in letters that some take for capitals, Go's reader takes the last."""
    with pytest.raises(Refused, match="no field"):
        read_asked(call(**{name: 64_000}))


@pytest.mark.parametrize("name", ["Max_Uses", "TYPE"])
def test_a_tool_has_no_such_fields_either(name: str) -> None:
    tool = {"type": "web_search_20250305", "name": "web_search", "max_uses": 1, name: 50}
    with pytest.raises(Refused, match="no field"):
        read_asked(call(tools=[tool]))


@pytest.mark.parametrize("odd", ["\ud800", json.loads("[" * 400 + "]" * 400)], ids=["half a letter", "400 lists deep"])
def test_a_tool_that_cannot_be_written_again_is_counted_or_refused(odd: Any) -> None:
    tool = {"name": "t", "description": "d", "input_schema": {"default": odd}}
    reference = {"type": "tool_result", "tool_use_id": "u", "content": [{"type": "tool_reference", "tool_name": "t"}]}
    body = call(tools=[tool], messages=[{"role": "user", "content": [reference]}])
    try:
        assert read_asked(body).input_tokens > len(body)
    except Refused:
        pass
