"""API keys: `sk_swarm_<id>_<secret>`, of which only a bcrypt hash is kept."""

import json
import secrets
import string
from dataclasses import dataclass
from typing import Any

import bcrypt

from swarm_api.ids import API_KEY

COST = 10  # 2^10 rounds, some 50 ms; the secrets are random, so that nobody guesses them however fast he may try
_ID = string.ascii_lowercase + string.digits
_SECRET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Key:
    """`parent`: the key without which this one is worth nothing, as its maker was no admin."""

    id: str
    name: str
    hash: bytes
    scopes: frozenset[str]
    maker: str
    created_ms: int
    parent: str | None = None
    expires_ms: int | None = None
    revoked_ms: int | None = None

    @classmethod
    def of(cls, row: Any) -> "Key":
        return cls(
            row.id, row.name, row.hash, frozenset(json.loads(row.scopes)), row.maker, row.created_ms, row.parent,
            row.expires_ms, row.revoked_ms,
        )  # fmt: skip

    def row(self) -> dict[str, Any]:
        return {
            "id": self.id, "name": self.name, "hash": self.hash, "scopes": json.dumps(sorted(self.scopes)),
            "maker": self.maker, "parent": self.parent, "created_ms": self.created_ms,
            "expires_ms": self.expires_ms, "revoked_ms": self.revoked_ms,
        }  # fmt: skip


def draw() -> str:
    """A new API key."""
    return f"sk_swarm_{_random(_ID, 12)}_{_random(_SECRET, 43)}"


def key_id(key: str) -> str | None:
    """The id under which a key is known; None for what is no key."""
    match = API_KEY.fullmatch(key)
    return f"key_{match[1]}" if match else None


def prefix(id_: str) -> str:
    """What may be shown of a key."""
    return f"sk_swarm_{id_.removeprefix('key_')}_…"


def hash_key(key: str) -> bytes:
    return bcrypt.hashpw(key.encode(), bcrypt.gensalt(COST))


def matches(key: str, hash_: bytes) -> bool:
    return bcrypt.checkpw(key.encode(), hash_)


NOBODYS = b"$2b$10$ZdoLYBksAorkzsiyOzt4xes3h/5xbk9HHugw7Fd.2jprB9/K9y8pa"
"""The hash of a key that was thrown away: checked for one that is not known, so that it takes as long as any."""


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
