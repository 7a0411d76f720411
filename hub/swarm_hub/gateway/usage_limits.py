"""Until when the model's provider takes nothing: kept in the database, so that a hub that is restarted knows it."""

from pydantic_core import from_json, to_json
from sqlalchemy import delete, select

from swarm_api.base import from_ms, rfc3339
from swarm_hub.gateway.hints import Hint
from swarm_hub.store import schema
from swarm_hub.store.transaction import Reads, Transaction

GROWN_MS = 60_000  # by which a limit must last longer than was journaled to be journaled again

_NAME = "usage_limit"
_KEPT = select(schema.hub.c.value).where(schema.hub.c.key == _NAME)


def limited_until(reads: Reads, now_ms: int) -> int | None:
    """When it takes more (epoch ms); None: it does."""
    until, _told = _kept(reads)
    return until if until > now_ms else None


def note_limit(tx: Transaction, hint: Hint) -> None:
    """Keep what an answer says, and journal it: once for each limit."""
    until, told = _kept(tx)
    in_force = until > tx.now_ms
    if in_force and hint.until_ms <= until:
        return
    if not in_force or hint.until_ms > told + GROWN_MS:
        told = hint.until_ms
        tx.event("usage_limit", None, {
            "until": rfc3339(from_ms(-(-told // 1000) * 1000)), "status": hint.status, "detail": hint.detail,
        })  # fmt: skip
    value = to_json({"until": hint.until_ms, "told": told}).decode()
    tx.execute(delete(schema.hub).where(schema.hub.c.key == _NAME))
    tx.add(schema.hub, {"key": _NAME, "value": value})
    tx.notices.money = True  # it is another outlook


def _kept(reads: Reads) -> tuple[int, int]:
    """Until when nothing is taken, and until when that was journaled to be so."""
    text = reads.execute(_KEPT).scalar()
    if text is None:
        return 0, 0
    kept = from_json(text)
    return kept["until"], kept["told"]
