"""How many tokens a prompt can be at most: no token stands for less than a byte, whatever the text."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

IMAGE = 5_000  # tokens; the API makes larger images smaller
OF_THE_API = 2_000  # tokens that the API puts before a prompt itself, where it has tools or a form for the answer
LIKELY_BYTES = 2  # of a token; real ones are longer


@dataclass(frozen=True)
class Prompt:
    """What of it is no data of an image counts as text. Not `bounded`: it has documents, or what lies elsewhere.

    `tools`: all it has, wherever they are defined.
    """

    text_bytes: int
    images: int
    bounded: bool
    tools: list[dict[str, Any]]

    @property
    def most(self) -> int:
        """Tokens."""
        return self.text_bytes + self.images * IMAGE + OF_THE_API

    @property
    def likely(self) -> int:
        """Tokens; an estimate that errs upward."""
        return -(-self.text_bytes // LIKELY_BYTES) + self.images * IMAGE


def read_prompt(fields: dict[str, Any], size: int) -> Prompt:
    """Of a request of `size` bytes."""
    images = data = 0
    bounded = True
    tools, referenced = _objects(fields.get("tools")), []
    for block, shown in _blocks(fields.get("messages")):
        kind = block.get("type")
        if shown and (length := _image(block)) is not None:
            images, data = images + 1, data + length
        elif _may_be_anything(block):
            bounded = False
        elif kind == "tool_reference":
            referenced.append(block.get("tool_name"))
        elif kind == "tool_addition":
            added = _added(block)
            tools.append(added)
            referenced.append(added.get("name"))
    text = size - data + (_again(referenced, tools, size) if referenced else 0)
    return Prompt(text, images, bounded, tools)


def _blocks(messages: Any) -> Iterator[tuple[dict[str, Any], bool]]:
    """All blocks of the messages, and whether an image there is shown to the model.

    Elsewhere, in a tool's input say, what looks like an image is text to it.
    """
    waiting = [(message, True) for message in _objects(messages)]
    while waiting:
        outer, shows = waiting.pop()
        content = outer.get("content")
        for block in [content] if isinstance(content, dict) else _objects(content):
            yield block, shows
            waiting.append((block, block.get("type") == "tool_result"))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _image(block: dict[str, Any]) -> int | None:
    """The bytes of an image's data."""
    source = block.get("source")
    if block.get("type") != "image" or not isinstance(source, dict) or source.get("type") != "base64":
        return None
    data = source.get("data")
    return len(data) if isinstance(data, str) else None


def _may_be_anything(block: dict[str, Any]) -> bool:
    source, citations = block.get("source"), block.get("citations")
    if isinstance(source, dict) and source.get("type") != "text":
        return True
    # A text that may be cited is cut into pieces, which are numbered.
    return "file_id" in block or (isinstance(citations, dict) and bool(citations.get("enabled")))


def _added(block: dict[str, Any]) -> dict[str, Any]:
    """A tool that is added in the middle of a conversation: its definition, or what refers to it."""
    tool = block.get("tool")
    definition = tool.get("definition", tool) if isinstance(tool, dict) else None
    return definition if isinstance(definition, dict) else {}


def _again(referenced: list[Any], tools: list[dict[str, Any]], size: int) -> int:
    """The bytes of the tools that are referred to: each reference may bring a definition into the prompt again."""
    sizes = Counter[Any]()
    for tool in tools:
        if isinstance(tool.get("name"), str):
            sizes[tool["name"]] += len(json.dumps(tool))
    return sum(sizes.get(name, size) if isinstance(name, str) else 0 for name in referenced)
