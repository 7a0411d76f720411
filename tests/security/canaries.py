"""Credentials that are known again wherever a piece of one turns up, and all the ways an agent can let one out."""

import base64
import json
import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PIECE, STEP = 16, 4
"""Characters of a piece, and between the beginnings of two: wherever 19 in a row were let out, one is found."""
LONG_LINE = 32_768


@dataclass(frozen=True)
class Canary:
    """`text` is what an agent finds in a file. `secret` is the part of it that must stay secret: nobody else has it.

    Those in use at the hub are known to it exactly, the others by their shape alone.
    """

    name: str
    text: str
    secret: str
    in_use: bool = False

    def pieces(self) -> set[bytes]:
        """Every piece of it; of one in use also the pieces of its base 64."""
        written = [self.secret, json.dumps(self.secret)[1:-1]]
        if self.in_use:
            encoded = (base64.b64encode(b"x" * before + self.text.encode()) for before in range(3))
            written += [each.decode()[4:-4] for each in encoded]
        return {text[at : at + PIECE].encode() for text in written for at in range(0, len(text) - PIECE + 1, STEP)}


def in_use(name: str, before: str = "", length: int = 43) -> Canary:
    secret = drawn(length)
    return Canary(name, before + secret, secret, in_use=True)


def by_shape(name: str, before: str, length: int, after: str = "") -> Canary:
    secret = drawn(length)
    return Canary(name, before + secret + after, secret)


def private_key() -> Canary:
    lines = [drawn(64) for _ in range(12)]
    text = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----", ""])
    return Canary("private key", text, lines[5])


def drawn(length: int) -> str:
    """With a capital and a digit soon, as what is drawn nearly always has."""
    return "aB3" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length - 3))


def leaks(canaries: Iterable[Canary], evidence: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Where a piece of a canary was found."""
    found = {
        canary.name: [where for where, data in evidence.items() if any(piece in data for piece in canary.pieces())]
        for canary in canaries
    }
    return {name: places for name, places in found.items() if places}


def outlets(canary: Canary, file: Path) -> Sequence[dict[str, Any]]:
    """Steps of a script: an agent that lets a credential out in every way."""
    half = len(canary.text) // 2
    commands = [
        f"cat {file}; echo",
        f"head -c {half} {file}; sleep 0.1; tail -c +{half + 1} {file}; echo",
        f"cat {file} >&2; echo >&2",
        f"""printf '{{"said": "%s"}}\\n' "$(cat {file})" """,
        f"""printf 'first\\\\n%s\\\\nlast\\n' "$(cat {file})" """,
        f"head -c {LONG_LINE - 40} /dev/zero | tr '\\0' x; printf ' '; cat {file}; echo",
        f"for i in $(seq 900); do printf '%s ' \"$(head -n 1 {file})\"; done; echo",
        f"sed 's/^.\\{{8\\}}/\\x1b[1m&\\x1b[0m/' {file}; echo",
    ]
    if canary.in_use:
        commands += [f"base64 -w 0 {file}; echo", f"(printf x; cat {file}) | base64 -w 0; echo"]
    return [*({"run": command} for command in commands), {"recite": str(file)}]
