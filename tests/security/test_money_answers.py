"""No way of saying an answer makes it free: what its usage leaves out is guessed upward, and marked."""

import json
from typing import Any

import pytest

from swarm_hub.gateway.meter import EventMeter, MessageMeter, Meter, meter_of

Json = dict[str, Any]
START: Json = {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 1_000, "output_tokens": 1}}}
TEXT: Json = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "words " * 100}}
DELTA: Json = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5_000}}
STOP: Json = {"type": "message_stop"}


def line(event: Json) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def metered(meter: Meter, text: str) -> Meter:
    meter.feed(text.encode())
    meter.end()
    return meter


def stream(*events: Json) -> Meter:
    return metered(EventMeter(), "".join(map(line, events)))


def test_a_stream_that_says_all_is_complete() -> None:
    meter = stream(START, TEXT, DELTA, STOP)
    assert (meter.complete, meter.usage.input, meter.usage.output) == (True, 1_000, 5_000)


def test_the_agents_own_stop_sequence_does_not_hide_what_was_used() -> None:
    """It comes back in the last count, whose line must not pass for a piece of text."""
    delta = {"delta": {"stop_sequence": "content_block_delta"}, "type": "message_delta", "usage": DELTA["usage"]}
    for event in (delta, {"type": "message_delta", **delta}):
        assert stream(START, TEXT, event, STOP).usage.output == 5_000


@pytest.mark.parametrize("ends", ["\r", "\r\n"])
def test_lines_may_end_in_all_ways_that_streams_of_events_allow(ends: str) -> None:
    text = "".join(map(line, (START, TEXT, DELTA, STOP))).replace("\n", ends)
    for size in (1, 7, len(text)):
        meter = EventMeter()
        for i in range(0, len(text), size):
            meter.feed(text[i : i + size].encode())
        meter.end()
        assert (meter.complete, meter.usage.output) == (True, 5_000)


@pytest.mark.parametrize("usage", [None, {}, {"output_tokens": 0}, {"output_tokens": "5000"}, {"output_tokens": 5e3}])
def test_a_stream_that_does_not_say_what_it_put_out_is_guessed(usage: Any) -> None:
    meter = stream(START, TEXT, {"type": "message_delta", "delta": {}, "usage": usage}, STOP)
    assert not meter.complete
    assert meter.usage.output > 600 / 4


def test_a_stream_of_which_nothing_is_understood_is_guessed() -> None:
    """An event may be spread over lines."""
    pretty = json.dumps(TEXT, indent=1).replace("\n", "\ndata: ")
    meter = metered(EventMeter(), f"event: content_block_delta\ndata: {pretty}\n\n" * 10)
    assert not meter.complete
    assert meter.usage.output > 10 * 600 / 4


def test_a_stream_that_never_told_its_input_has_not_said_all() -> None:
    assert not stream({"type": "message_start", "message": {"model": "m"}}, TEXT, DELTA, STOP).complete


@pytest.mark.parametrize("usage", [{}, {"input_tokens": 5}, {"input_tokens": 5, "output_tokens": 0}])
def test_a_message_whose_usage_says_nothing_is_guessed(usage: Json) -> None:
    content = [{"type": "text", "text": "words " * 100}]
    meter = metered(MessageMeter(), json.dumps({"type": "message", "content": content, "usage": usage}))
    assert not meter.complete
    assert meter.usage.output > 600 / 4


@pytest.mark.parametrize(
    "kind", ["TEXT/EVENT-STREAM", " text/event-stream; charset=utf-8", "application/octet-stream", ""]
)
def test_a_stream_is_known_whatever_its_head_says(kind: str) -> None:
    meter = metered(meter_of(kind), "".join(map(line, (START, TEXT, DELTA, STOP))))
    assert meter.usage.output >= 600 / 4
