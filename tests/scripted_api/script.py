"""What the model says, and how a request finds the turn that answers it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scripted_api.faults import Fault


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Call:
    """The model calls a tool."""

    tool: str
    input: Mapping[str, Any]


@dataclass(frozen=True)
class Usage:
    input: int = 100
    output: int = 20
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0


@dataclass(frozen=True)
class Turn:
    """One answer of the model. Each request for it meets the next of `faults`; when all are met, it is said.

    `headers` come with it besides those of any answer.
    """

    says: tuple[Text | Call, ...]
    usage: Usage = field(default_factory=Usage)
    faults: tuple[Fault, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What a client asked, as far as a script cares."""

    body: Mapping[str, Any]
    session: str
    agent: str | None

    @property
    def text(self) -> str:
        """All that the model would read: system prompt and conversation."""
        parts = [self.body.get("system", ""), *(message["content"] for message in self.body["messages"])]
        return "\n".join(text for part in parts for text in _texts(part))

    @property
    def results(self) -> str:
        """The tool results that came last: what a script's condition looks at."""
        for message in reversed(self.body["messages"]):
            if found := [block for block in _blocks(message["content"]) if block.get("type") == "tool_result"]:
                return "\n".join(text for block in found for text in _texts(block.get("content", "")))
        return ""


Script = list[Turn | Callable[[Request], Turn]]
"""The turns after a prompt that holds the script's key. A function is asked for its turn: a condition."""


def find_turn(scripts: Mapping[str, Script], request: Request) -> tuple[str, int] | None:
    """The key of the newest prompt that holds one, and how often the model has spoken since.

    From the request alone, so that retries, resumed sessions, forks and sessions side by side all find their place.
    """
    turns = 0
    for message in reversed(request.body["messages"]):
        if message["role"] == "assistant":
            turns += 1
        elif message["role"] == "user" and (key := _key(scripts, message["content"])):
            return key, turns
    return None


def _key(scripts: Mapping[str, Script], content: Any) -> str | None:
    prompt = "\n".join(block["text"] for block in _blocks(content) if block.get("type") == "text")
    # Prompts without an answer between them come as one: the last of them counts.
    return max((key for key in scripts if key in prompt), key=prompt.rfind, default=None)


def _blocks(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _texts(content: Any) -> Iterator[str]:
    for block in _blocks(content):
        if block.get("type") == "text":
            yield block["text"]
        elif block.get("type") == "tool_result":
            yield from _texts(block.get("content", ""))
