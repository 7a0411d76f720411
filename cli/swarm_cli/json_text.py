"""Changes to a file of JSON that leave every other byte as it is."""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

END = "+"
"""As the last part of a path: a new element at the end of an array."""

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_INDENTED = re.compile(r"\n([ \t]+)\S")


class Added(NamedTuple):
    """`text` with the value in it; `known` parts of its path were there before, all of them if the value was."""

    text: str
    known: int


class _Item(NamedTuple):
    """Where a member or element is: `start` of its key or itself, `value`, `end`."""

    key: str
    start: int
    value: int
    end: int


def put(text: str, path: Sequence[str], value: Any) -> Added:
    """Add `value` at `path`, making the containers on the way.

    Raises `ValueError` for a text that is no JSON, holds something else at the path, or no container on the way to it.
    """
    json.loads(text)
    at = _skip(text, 0)
    for depth, part in enumerate(path):
        items = _items(text, at, part, path)
        index = _index(text, items, part, value)
        if index is None:
            return Added(_written(text, at, depth, part, _nested(path[depth + 1 :], value)), depth)
        at = items[index].value
    if _DECODER.raw_decode(text, at)[0] != value:
        raise ValueError(f"{'.'.join(path)} is there already, and is something else")
    return Added(text, len(path))


def take(text: str, path: Sequence[str], value: Any, known: int) -> str:
    """The text without the value, and without the containers beyond the first `known` parts that are left empty.

    Raises `ValueError` when something else is there, or nothing.
    """
    text = _without(text, path, value)
    for end in range(len(path) - 1, known, -1):
        container: Any = [] if path[end] == END else {}
        try:
            text = _without(text, path[:end], container)
        except ValueError:  # somebody has put something into it
            break
    return text


def _without(text: str, path: Sequence[str], value: Any) -> str:
    json.loads(text)
    at = holder = _skip(text, 0)
    items, index = list[_Item](), None
    for part in path:
        holder, items = at, _items(text, at, part, path)
        if (index := _index(text, items, part, value)) is None:
            break
        at = items[index].value
    if index is None or _value(text, items[index]) != value:
        raise ValueError(f"{'.'.join(path)} is not what was put there")
    return _cut(text, holder, items, index)


def _cut(text: str, at: int, items: Sequence[_Item], index: int) -> str:
    if index > 0:
        return text[: items[index - 1].end] + text[items[index].end :]
    if len(items) > 1:
        return text[: items[0].start] + text[items[1].start :]
    return text[: at + 1] + text[_skip(text, items[0].end) :]


def _written(text: str, at: int, depth: int, key: str, value: Any) -> str:
    """The text with a new last member in the container at `at`, in the way the rest is written."""
    items = _items(text, at, key, (key,))
    name = "" if key == END else f"{json.dumps(key)}: "
    place = items[-1].end if items else at + 1
    before = "," if items else ""
    if "\n" not in text.strip() and items:
        return f"{text[:place]}, {name}{json.dumps(value)}{text[place:]}"
    found = _INDENTED.search(text)
    unit = found[1] if found else "  "
    line = ("\r\n" if "\r\n" in text else "\n") + unit * (depth + 1)
    body = json.dumps(value, indent=unit).replace("\n", line)
    after = "" if items or "\n" in text[place : _skip(text, place)] else line[: -len(unit)]
    return text[:place] + before + line + name + body + after + text[place:]


def _items(text: str, at: int, part: str, path: Sequence[str]) -> list[_Item]:
    """The members or elements of the container that begins here. Raises `ValueError` when it cannot hold `part`."""
    if text[at] != ("[" if part == END else "{"):
        kind = "array" if part == END else "object"
        raise ValueError(f"what should hold {'.'.join(path)} is no {kind}")
    found: list[_Item] = []
    here = _skip(text, at + 1)
    while text[here] not in "}]":
        start, name = here, ""
        if text[at] == "{":
            name, here = _DECODER.raw_decode(text, here)
            here = _skip(text, _skip(text, here) + 1)
        _, end = _DECODER.raw_decode(text, here)
        found.append(_Item(name, start, here, end))
        here = _skip(text, end)
        here = _skip(text, here + 1) if text[here] == "," else here
    return found


def _index(text: str, items: Sequence[_Item], part: str, value: Any) -> int | None:
    """Of a key its last, which is the one that counts."""
    fits = [
        index for index, item in enumerate(items) if (_value(text, item) == value if part == END else item.key == part)
    ]
    return fits[-1] if fits else None


def _nested(path: Sequence[str], value: Any) -> Any:
    for part in reversed(path):
        value = [value] if part == END else {part: value}
    return value


def _value(text: str, item: _Item) -> Any:
    return json.loads(text[item.value : item.end])


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
