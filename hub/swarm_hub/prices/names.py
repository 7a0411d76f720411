"""One model has many spellings: its maker's, its clouds', its gateways'. Here they become one."""

import re
from typing import NamedTuple

EDITION = re.compile(r"-v\d+(:\d+)?$")  # of Bedrock: `-v1:0`
SNAPSHOT = re.compile(r"20\d{6}")  # prices belong to a model, not to its snapshots
WORD = re.compile(r"[^-@._\s]+")
SAY_NOTHING = {"claude", "latest", "default"}


class Key(NamedTuple):
    """What a model is known by: (`opus`), (4, 5). The order of the two in a name does not count."""

    words: tuple[str, ...]
    version: tuple[str, ...]


class Name(NamedTuple):
    key: Key
    fast: bool = False  # some gateways sell the fast mode as a model of its own
    regional: bool = False  # Bedrock: every endpoint but the global one


def read_name(text: str) -> Name:
    """Knows ids with dates, `opus[1m]`, `anthropic/…`, `us.anthropic.…-v1:0`, `…@20250929` and `claude-4.5-opus`."""
    bare = re.sub(r"\[[^\]]*\]$", "", text.strip().lower()).rpartition("/")[2]
    place, claude, rest = bare.partition("claude")
    model = EDITION.sub("", claude + rest) if claude else bare
    words = [word for word in WORD.findall(model) if word not in SAY_NOTHING and not SNAPSHOT.fullmatch(word)]
    return Name(
        Key(
            tuple(word for word in words if not _is_number(word) and word != "fast"),
            _without_zero(tuple(word for word in words if _is_number(word))),
        ),
        fast="fast" in words,
        regional=bool(claude) and place.endswith("anthropic.") and not place.endswith("global.anthropic."),
    )


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit()


def _without_zero(version: tuple[str, ...]) -> tuple[str, ...]:
    return version[:-1] if len(version) > 1 and version[-1] == "0" else version
