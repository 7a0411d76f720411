"""`Idempotency-Key`: the same request gives the same answer, remembered in the transaction that did the work."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import delete, select
from starlette.responses import Response

from swarm_api.base import Answer
from swarm_api.errors import Conflict, MalformedRequest
from swarm_hub.http import Call
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction

KEPT_MS = 24 * 60 * 60 * 1000
CALLER = "local"  # until there are users, everyone on this machine is the same caller

i = schema.idempotency.c
Work = Callable[[Transaction], tuple[int, Answer]]


async def once(call: Call, body: Any, work: Work) -> Response:
    """Do `work` in a transaction and answer with its status and answer; with a key, once for all who send it.

    A duplicate that comes while the first is under way waits behind it in the writer. Raises `Conflict`
    `idempotency_conflict` for a known key with another body, and what `work` raises, which is not remembered.
    """
    key = call.request.headers.get("idempotency-key")
    if key is None:
        status, answer = await call.hub.store.write(work)
        return Response(answer.to_json(), status, media_type="application/json")
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        raise MalformedRequest("Idempotency-Key: must be 1 to 255 printable characters without spaces")
    path, digest = call.request.url.path, _digest(body)
    status, kept = await call.hub.store.write(lambda tx: _remembered(tx, path, key, digest, work))
    return Response(kept, status, media_type="application/json")


def _remembered(tx: Transaction, path: str, key: str, digest: str, work: Work) -> tuple[int, bytes]:
    tx.execute(delete(schema.idempotency).where(i.at_ms < tx.now_ms - KEPT_MS))
    same = (i.caller == CALLER) & (i.path == path) & (i.key == key)
    known = tx.execute(select(i.body_hash, i.status, i.answer).where(same)).first()
    if known is None:
        status, answer = work(tx)
        kept = answer.to_json()
        row = {"caller": CALLER, "path": path, "key": key, "body_hash": digest, "at_ms": tx.now_ms}
        tx.add(schema.idempotency, {**row, "status": status, "answer": kept})
        return status, kept
    if known.body_hash != digest:
        raise Conflict("this Idempotency-Key was used with another body", code="idempotency_conflict")
    return known.status, known.answer


def _digest(body: Any) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
