"""Reads the usage of an answer while it passes: of one JSON message, or of a stream of events, in whatever pieces."""

import re
from typing import Any, Protocol

from pydantic_core import from_json

from swarm_hub.gateway.usage import tells, told
from swarm_hub.prices import Metered

LONGEST = 32 * 1024 * 1024  # bytes of a message that is not streamed, or of one event
BYTES_PER_TOKEN = 2  # of an answer that was cut off: real tokens are longer, so that the guess errs upward

_TEXT = re.compile(rb'data:\s*{\s*"type"\s*:\s*"content_block_delta"')


class Meter(Protocol):
    """`complete`, at the end: the answer said all it used."""

    usage: Metered
    model: str | None
    stop_reason: str | None
    complete: bool

    def feed(self, piece: bytes) -> None: ...

    def end(self) -> None:
        """No more will come. What an incomplete answer used is guessed upward."""


class EventMeter:
    """Of server-sent events: `message_start` counts the input, each `message_delta` the output so far."""

    def __init__(self) -> None:
        self.usage = Metered()
        self.model: str | None = None
        self.stop_reason: str | None = None
        self.complete = False
        self._line = bytearray()
        self._heard = 0  # bytes of text, of tools' input and of what is not understood, since the last count
        self._input_told = False
        self._stopped = False

    def feed(self, piece: bytes) -> None:
        *lines, rest = piece.replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            self._line += line
            self._read(bytes(self._line))
            self._line.clear()
        self._line += rest
        if len(self._line) > LONGEST:
            self._heard += len(self._line)
            self._line.clear()

    def end(self) -> None:
        self._read(bytes(self._line))
        self.complete = self._stopped and self._input_told and not self._heard
        if not self.complete:
            more = -(-self._heard // BYTES_PER_TOKEN)
            self.usage = told(self.usage, {"output_tokens": self.usage.output + more})

    def _read(self, line: bytes) -> None:
        if self._stopped or not line.startswith(b"data:"):
            return
        # Of the many pieces of text nothing is needed but how long they are.
        if _TEXT.match(line):
            self._heard += len(line)
            return
        event = _object(line[5:])
        match event.get("type"):
            case "message_start":
                message = event.get("message")
                self.model = _text(message, "model")
                self._count(message)
            case "message_delta":
                self._count(event)
                self.stop_reason = _text(event.get("delta"), "stop_reason") or self.stop_reason
            case "message_stop":
                self._stopped = True
            case "content_block_delta" | None:
                self._heard += len(line)

    def _count(self, of: Any) -> None:
        usage = of.get("usage") if isinstance(of, dict) else None
        self.usage = told(self.usage, usage)
        self._input_told |= tells(usage, "input_tokens")
        if tells(usage, "output_tokens", 1):
            self._heard = 0


class MessageMeter:
    """Of one JSON object."""

    def __init__(self) -> None:
        self.usage = Metered()
        self.model: str | None = None
        self.stop_reason: str | None = None
        self.complete = False
        self._body = bytearray()

    def feed(self, piece: bytes) -> None:
        if len(self._body) <= LONGEST:
            self._body += piece

    def end(self) -> None:
        message = _object(bytes(self._body))
        usage = message.get("usage")
        least = 0 if message.get("content") == [] else 1
        self.complete = tells(usage, "input_tokens") and tells(usage, "output_tokens", least)
        self.usage = told(self.usage, usage)
        self.model, self.stop_reason = _text(message, "model"), _text(message, "stop_reason")
        if not self.complete:
            self.usage = told(self.usage, {"output_tokens": -(-len(self._body) // BYTES_PER_TOKEN)})
        self._body.clear()


def meter_of(content_type: str) -> Meter:
    return EventMeter() if content_type.startswith("text/event-stream") else MessageMeter()


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = from_json(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(of: Any, name: str) -> str | None:
    value = of.get(name) if isinstance(of, dict) else None
    return value[:200] if isinstance(value, str) else None
