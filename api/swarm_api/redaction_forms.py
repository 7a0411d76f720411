"""The forms in which a credential may be written."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from typing import AnyStr
from urllib.parse import quote

_PROBE = 12
_RAREST = "QZXJKVWYqzxjHUGFPBDMNLROCTSIAEvkwybg0123456789pfmcudlhrsnioate"
"""Letters and digits, those first that logs and JSON hold least."""


Groups = tuple[tuple[AnyStr, tuple[tuple[AnyStr, AnyStr], ...]], ...]
"""Texts to look for, each with its end, grouped by their rarest character: most others do not hold that, which is seen
at once. A short end is found sooner than all of it. No text comes before one that holds it."""


def grouped(texts: Iterable[str]) -> Groups[str]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for text in sorted(set(texts), key=len, reverse=True):
        groups.setdefault(min(text, key=_rank), []).append((text[-_PROBE:], text))
    return tuple((rare, tuple(groups[rare])) for rare in sorted(groups, key=_rank))


def encoded(groups: Groups[str]) -> Groups[bytes]:
    return tuple((rare.encode(), tuple((end.encode(), text.encode()) for end, text in group)) for rare, group in groups)


def likely(groups: Groups[AnyStr], where: AnyStr) -> Iterator[AnyStr]:
    """The texts of which `where` holds the end."""
    for rare, group in groups:
        if rare in where:
            for end, text in group:
                if end in where:
                    yield text


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
