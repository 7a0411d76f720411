"""The forms in which a credential may be written."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from urllib.parse import quote

PROBE = 12
_FREQUENT = frozenset('etaoinsrhldcumfpgwybvk0123456789 ",.:/_-')


def probe(form: str) -> str:
    """A part of it that other texts hardly hold, to look for: a short text with rare characters is found sooner."""
    parts = [form[at : at + PROBE] for at in range(max(1, len(form) - PROBE + 1))]
    return min(parts, key=lambda part: len(_FREQUENT.intersection(part)))


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
