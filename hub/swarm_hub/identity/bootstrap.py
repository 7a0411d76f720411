"""The bootstrap key, of which nothing is kept but a mark by which a changed one is noticed."""

import hashlib
import hmac

from sqlalchemy import delete, select, update

from swarm_hub.identity import keys
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction

_MARK = "bootstrap_mark"

h, t = schema.hub.c, schema.tokens.c


def note_bootstrap(tx: Transaction, key: str, secret: bytes) -> None:
    """End the tokens of the key before it when it has the same id: whoever changed it did not trust it any more."""
    mark = hmac.digest(secret, key.encode(), hashlib.sha256).hex()
    if tx.execute(select(h.value).where(h.key == _MARK)).scalar() == mark:
        return
    of_the_one_before = (t.sub == keys.key_id(key)) & t.revoked_ms.is_(None)
    tx.execute(update(schema.tokens).where(of_the_one_before).values(revoked_ms=tx.now_ms))
    tx.execute(delete(schema.hub).where(h.key == _MARK))
    tx.add(schema.hub, {"key": _MARK, "value": mark})
