"""Making and ending credentials, in a transaction and in the book."""

from dataclasses import dataclass, replace

from sqlalchemy import delete, or_, select, update

from swarm_api.auth import KeyIn
from swarm_api.errors import Conflict, Forbidden, NotAuthenticated, NotFound
from swarm_hub.identity.book import Book
from swarm_hub.identity.callers import ADMIN, LOCAL, SCOPES, Caller
from swarm_hub.identity.identity import BOOTSTRAP
from swarm_hub.identity.jwts import new_jti
from swarm_hub.identity.keys import Key
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction

LOCAL_TTL = 60 * 60  # seconds; the hub renews it in time
DAY_MS = 24 * 60 * 60 * 1000

t, k = schema.tokens.c, schema.api_keys.c


@dataclass(frozen=True)
class Grants:
    """`ttl`: seconds for which a token is good."""

    book: Book
    ttl: int

    def for_key(self, key_id: str, device: str | None, now: float) -> Caller:
        """Whom a new token of a key's stands for."""
        key, jti = self.book.keys[key_id], new_jti()
        return Caller(key_id, _spelled_out(key.scopes), self._end(key, now), jti, jti, device)

    def refreshed(self, caller: Caller, now: float) -> Caller:
        """The same with more time, and with no more than its key may do now."""
        if caller.id == LOCAL:
            return self.for_this_run(now)
        key, jti = self.book.keys[caller.id], new_jti()
        scopes = _spelled_out(key.scopes) & _spelled_out(caller.scopes)
        return replace(caller, scopes=scopes, expires=self._end(key, now), jti=jti, root=caller.root or jti)

    def for_this_run(self, now: float) -> Caller:
        """The user on this machine: a token that no other run of the hub takes, and that is written to no database."""
        jti = new_jti()
        caller = Caller(LOCAL, frozenset(SCOPES), now + LOCAL_TTL, jti, jti)
        of_this_run = self.book.of_this_run
        for old in [old for old, end in of_this_run.items() if end < now - LOCAL_TTL]:
            del of_this_run[old]
        of_this_run[jti] = now + LOCAL_TTL
        return caller

    def key(self, wish: KeyIn, caller: Caller, id_: str, now_ms: int) -> Key:
        """A key, but for its hash. Raises `Forbidden` for scopes that its maker lacks."""
        if lacking := [scope for scope in wish.scopes if not caller.may(scope)]:
            raise Forbidden(f"a key cannot give what its maker lacks: {', '.join(lacking)}", code="forbidden_scope")
        free = caller.may(ADMIN)
        ends = [] if wish.expires_in_days is None else [now_ms + wish.expires_in_days * DAY_MS]
        if not free and (of_maker := self.book.keys[caller.id].expires_ms):
            ends.append(of_maker)
        return Key(
            id_, wish.name, b"", frozenset(wish.scopes), caller.id, now_ms,
            parent=None if free else caller.id, expires_ms=min(ends, default=None),
        )  # fmt: skip

    def _end(self, key: Key, now: float) -> float:
        end = now + self.ttl
        return end if key.expires_ms is None else min(end, key.expires_ms / 1000)


def record_token(tx: Transaction, caller: Caller) -> None:
    """Remember a token that was made, so that it can be revoked; what has long run out is forgotten."""
    tx.execute(delete(schema.tokens).where(t.expires_ms < tx.now_ms - DAY_MS))
    tx.add(schema.tokens, {
        "jti": caller.jti, "root": caller.root, "sub": caller.id, "device": caller.device,
        "expires_ms": int((caller.expires or 0) * 1000), "revoked_ms": None,
    })  # fmt: skip


def refuse_revoked(tx: Transaction, caller: Caller) -> None:
    """Raises `NotAuthenticated` for a token or key that was revoked while its request was on the way to here."""
    if tx.execute(select(t.jti).where(t.jti == caller.jti, t.revoked_ms.is_not(None))).first() is not None:
        raise NotAuthenticated("the token was revoked")
    if tx.execute(select(k.id).where(k.id == caller.id, k.revoked_ms.is_not(None))).first() is not None:
        raise NotAuthenticated("the API key was revoked")


def revoke_tokens(tx: Transaction, caller: Caller, device: str | None) -> list[str]:
    """End a device's tokens, or the caller's own with all that it was refreshed from and to. The ids of those ended."""
    if device is None and caller.id != LOCAL and tx.execute(select(t.jti).where(t.jti == caller.jti)).first() is None:
        record_token(tx, caller)  # the database was put back to a time before it
    mine = t.sub == caller.id
    which = or_(t.jti == caller.jti, t.root == caller.root) if device is None else t.device == device
    ended = [str(jti) for jti in tx.execute(select(t.jti).where(mine, which, t.revoked_ms.is_(None))).scalars()]
    tx.execute(update(schema.tokens).where(mine, which, t.revoked_ms.is_(None)).values(revoked_ms=tx.now_ms))
    return ended


def visible_keys(book: Book, caller: Caller) -> list[Key]:
    """All for an admin; for others their own, and those that end with it. Newest first."""
    mine = [key for key in book.keys.values() if caller.may(ADMIN) or _is_below(book, key, caller.id)]
    return sorted(mine, key=lambda key: (key.created_ms, key.id), reverse=True)


def find_key(book: Book, caller: Caller, wanted: str) -> Key:
    """By its id. Raises `NotFound`, and `Conflict` for one that the hub's environment gives."""
    key = book.keys.get(wanted)
    if key is None or not (caller.may(ADMIN) or _is_below(book, key, caller.id)):
        raise NotFound(f"there is no API key {wanted}")
    if key.maker == "environment" and key.name == BOOTSTRAP:
        raise Conflict(f"{wanted} is the hub's SWARM_BOOTSTRAP_KEY: it ends when that is changed", code="bootstrap_key")
    return key


def revoke_key(tx: Transaction, key: Key) -> None:
    tx.execute(update(schema.api_keys).where(k.id == key.id).values(revoked_ms=tx.now_ms))


def _spelled_out(scopes: frozenset[str]) -> frozenset[str]:
    """What `admin` opens, for clients that look for a scope by its name."""
    return frozenset(SCOPES) if ADMIN in scopes else scopes


def _is_below(book: Book, key: Key, id_: str) -> bool:
    at: Key | None = key
    while at is not None:
        if at.id == id_:
            return True
        at = book.keys.get(at.parent) if at.parent else None
    return False
