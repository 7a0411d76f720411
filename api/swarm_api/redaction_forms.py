"""The forms in which a credential may be written."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from typing import AnyStr
from urllib.parse import quote

BEGINNING = 48
"""Characters that a credential is known by when the rest was cut off. The first 26 of an API key may be shown; of the
rest nobody is to guess so many, as what comes after them can be guessed one by one by what is redacted."""
_RAREST = "QZXJKVWYqzxjHUGFPBDMNLROCTSIAEvkwybg0123456789pfmcudlhrsnioate"
"""Letters and digits, those first that logs and JSON hold least."""


Groups = tuple[tuple[AnyStr, tuple[tuple[AnyStr, AnyStr], ...]], ...]
"""Texts to look for, each after its beginning, grouped by the rarest character of that: most others do not hold it,
which is seen at once."""


def grouped(texts: Iterable[str]) -> Groups[str]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for text in texts:
        beginning = text[:BEGINNING]
        groups.setdefault(min(beginning, key=_rank), []).append((beginning, text))
    return tuple((rare, tuple(groups[rare])) for rare in sorted(groups, key=_rank))


def encoded(groups: Groups[str]) -> Groups[bytes]:
    return tuple((rare.encode(), tuple((b.encode(), text.encode()) for b, text in group)) for rare, group in groups)


def likely(groups: Groups[AnyStr], where: AnyStr) -> list[AnyStr]:
    """The texts of which `where` holds at least the beginning, the longest first."""
    found = [text for rare, group in groups if rare in where for beginning, text in group if beginning in where]
    return sorted(found, key=len, reverse=True) if found else found


def places(texts: Iterable[AnyStr], where: AnyStr) -> Iterator[tuple[int, int]]:
    """Where it holds one of them, or the beginning of one with as much as follows of it."""
    for text in texts:
        at = where.find(text[:BEGINNING])
        while at >= 0:
            end = at + min(len(text), BEGINNING)
            while end < len(where) and end - at < len(text) and where[end] == text[end - at]:
                end += 1
            yield at, end
            at = where.find(text[:BEGINNING], end)


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order, none overlapping another."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _rank(character: str) -> int:
    at = _RAREST.find(character)
    return at if at >= 0 else len(_RAREST)


def plain_forms(credential: str | bytes) -> set[str]:
    """As it is, and as it is in JSON; of bytes, which no text holds, none."""
    if isinstance(credential, bytes):
        return set()
    return {credential, json.dumps(credential)[1:-1], json.dumps(credential, ensure_ascii=False)[1:-1]}


def forms(credential: str | bytes) -> set[str]:
    """How it may be written: in JSON, in a URL, and in base 64 wherever it stands in what is encoded; bytes in hex."""
    if isinstance(credential, bytes):
        return {credential.hex(), credential.hex().upper(), *_in_base64(credential)}
    return {*plain_forms(credential), quote(credential), quote(credential, safe=""), *_in_base64(credential.encode())}


def _in_base64(secret: bytes) -> Iterator[str]:
    """What is the same in the base 64 of anything that holds the secret, for each of three places it may have."""
    spell: tuple[Callable[[bytes], bytes], ...] = (b64encode, lambda data: b64encode(data, b"-_"))
    for before in range(3):
        first, last = -(-before * 8 // 6), (before + len(secret)) * 8 // 6
        for encode in spell:
            yield encode(bytes(before) + secret)[first:last].decode()
