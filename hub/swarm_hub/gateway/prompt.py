"""How many tokens a prompt can be at most: no token stands for less than a byte, whatever the text."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

IMAGE = 5_000  # tokens; the API makes larger images smaller
OF_THE_API = 2_000  # tokens that the API puts before a prompt itself, where it has tools or a form for the answer
LIKELY_BYTES = 2  # of a token; real ones are longer


@dataclass(frozen=True)
class Prompt:
    """What of it is no data of an image counts as text. Not `bounded`: it has documents, or what lies elsewhere."""

    text_bytes: int
    images: int
    bounded: bool

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
    images = data = references = 0
    bounded = True
    sizes: dict[str, int] | None = None
    for block, shown in _blocks(fields.get("messages")):
        if shown and (length := _image(block)) is not None:
            images, data = images + 1, data + length
        elif _may_be_anything(block):
            bounded = False
        elif block.get("type") == "tool_reference":
            sizes = _tool_sizes(fields.get("tools")) if sizes is None else sizes
            name = block.get("tool_name")
            references += sizes.get(name, 0) if isinstance(name, str) else 0
    return Prompt(size - data + references, images, bounded)


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


def _tool_sizes(tools: Any) -> dict[str, int]:
    """What a reference to a tool brings into the prompt again, by the tool's name: its definition."""
    named = ((tool.get("name"), tool) for tool in _objects(tools))
    return {name: len(to_json(tool)) for name, tool in named if isinstance(name, str)}
