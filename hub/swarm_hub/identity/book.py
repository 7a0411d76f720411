"""Which keys and tokens are good: all of it in memory, so that looking costs nothing and revoking works at once."""

from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection, select

from swarm_hub.identity.callers import LOCAL, Caller
from swarm_hub.identity.jwts import SKEW
from swarm_hub.identity.keys import Key
from swarm_hub.store import schema

t = schema.tokens.c


class Book(NamedTuple):
    """What the database says of keys and revoked tokens, and the tokens of this run, which it does not know."""

    keys: dict[str, Key]
    revoked: set[str]
    of_this_run: dict[str, float]  # token id → its end, seconds since the epoch

    def end_of(self, caller: Caller, now: float) -> str | None:
        """Why a credential is worth nothing any more; None while it is good."""
        if caller.expires is not None and now > caller.expires + SKEW:
            return "the token has expired"
        if caller.jti is not None and caller.jti in self.revoked:
            return "the token was revoked"
        if caller.id == LOCAL:
            return None if caller.jti in self.of_this_run else "the token is of an earlier run of the hub"
        return self._end_of_key(caller.id, now)

    def _end_of_key(self, id_: str | None, now: float) -> str | None:
        while id_ is not None:
            key = self.keys.get(id_)
            if key is None:
                return "the API key is not known here"
            if key.revoked_ms is not None:
                return "the API key was revoked"
            if key.expires_ms is not None and now * 1000 > key.expires_ms:
                return "the API key has expired"
            id_ = key.parent
        return None

    def revoke_key(self, id_: str, now_ms: int) -> None:
        self.keys[id_] = replace(self.keys[id_], revoked_ms=now_ms)


def read_book(connection: Connection, now_ms: int) -> Book:
    keys = [Key.of(row) for row in connection.execute(select(schema.api_keys))]
    revoked = select(t.jti).where(t.revoked_ms.is_not(None), t.expires_ms > now_ms - SKEW * 1000)
    return Book({key.id: key for key in keys}, set(connection.execute(revoked).scalars()), {})
