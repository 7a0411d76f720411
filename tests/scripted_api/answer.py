"""A turn in the form the Messages API gives it: one message, or the events of a stream."""

import json
from collections.abc import Iterator
from typing import Any

from scripted_api.script import Call, Text, Turn, Usage

Json = dict[str, Any]
PIECE = 24  # characters of a text or of a tool's input in one event


def message(turn: Turn, model: str, number: str) -> Json:
    """`number` makes the ids of this message and of its tool calls, so that the same request gets the same ids."""
    return {
        **_empty(turn, model, number),
        "content": [_block(part, f"{number}_{index}") for index, part in enumerate(turn.says)],
        "stop_reason": _stop_reason(turn),
        "usage": _usage(turn.usage, turn.usage.output),
    }


def events(turn: Turn, model: str, number: str) -> Iterator[Json]:
    yield {"type": "message_start", "message": _empty(turn, model, number)}
    for index, part in enumerate(turn.says):
        empty = Text("") if isinstance(part, Text) else Call(part.tool, {})
        block = _block(empty, f"{number}_{index}")
        yield {"type": "content_block_start", "index": index, "content_block": block}
        yield from ({"type": "content_block_delta", "index": index, "delta": delta} for delta in _deltas(part))
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": _stop_reason(turn), "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": turn.usage.output}}
    yield {"type": "message_stop"}


def error(kind: str, text: str) -> Json:
    return {"type": "error", "error": {"type": kind, "message": text}}


def sse(event: Json) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _empty(turn: Turn, model: str, number: str) -> Json:
    return {
        "id": f"msg_{number}", "type": "message", "role": "assistant", "model": model, "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": _usage(turn.usage, output=1),
    }  # fmt: skip


def _usage(usage: Usage, output: int) -> Json:
    five, hour = usage.cache_write_5m, usage.cache_write_1h
    return {
        "input_tokens": usage.input,
        "output_tokens": output,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": five + hour,
        "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
    }


def _block(part: Text | Call, number: str) -> Json:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    return {"type": "tool_use", "id": f"toolu_{number}", "name": part.tool, "input": dict(part.input)}


def _deltas(part: Text | Call) -> Iterator[Json]:
    text = part.text if isinstance(part, Text) else json.dumps(part.input)
    for start in range(0, len(text), PIECE):
        piece = text[start : start + PIECE]
        yield (
            {"type": "text_delta", "text": piece}
            if isinstance(part, Text)
            else {"type": "input_json_delta", "partial_json": piece}
        )


def _stop_reason(turn: Turn) -> str:
    return "tool_use" if any(isinstance(part, Call) for part in turn.says) else "end_turn"
