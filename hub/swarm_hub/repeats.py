"""`Idempotency-Key`: the same request gives the same answer, remembered in the transaction that did the work."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from starlette.responses import Response

from swarm_api.base import Answer
from swarm_api.errors import Conflict, MalformedRequest
from swarm_hub.disclosed import HOLDS
from swarm_hub.http import Call
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction

KEPT_MS = 24 * 60 * 60 * 1000

i = schema.idempotency.c
Work = Callable[[Transaction], tuple[int, Answer]]


class Asked(NamedTuple):
    """What makes two requests the same."""

    caller: str
    path: str
    key: str
    body_hash: str


async def once(call: Call, body: Any, work: Work) -> Response:
    """Do `work` in a transaction and answer with its status and answer; with a key, once for its caller.

    A duplicate that comes while the first is under way waits behind it in the writer. Raises `Conflict`
    `idempotency_conflict` for a known key with another body, and what `work` raises, which is not remembered.
    """
    return await _answered(call, body, work, lambda answer: answer)


async def once_secret(call: Call, body: Any, work: Work) -> Response:
    """The same for an answer that is shown to nobody again. Raises `Conflict` `already_made` for a repetition."""
    return await _answered(call, body, work, lambda _: b"")


async def _answered(call: Call, body: Any, work: Work, keep: Callable[[bytes], bytes]) -> Response:
    asked = _asked(call, body)
    if asked is None:
        status, made = await call.hub.store.write(work)
        return _response(made.to_json(), status)  # here, as the writer has others waiting

    def remembered(tx: Transaction) -> tuple[int, bytes]:
        if (known := _known(tx, asked)) is not None:
            return known
        status, made = work(tx)
        answer = made.to_json()
        kept = {"status": status, "answer": keep(answer), "at_ms": tx.now_ms}
        tx.add(schema.idempotency, {**asked._asdict(), **kept})
        return status, answer

    status, answer = await call.hub.store.write(remembered)
    return _response(answer, status)


def _response(answer: bytes, status: int) -> Response:
    return Response(answer, status, media_type="application/json")


def _asked(call: Call, body: Any) -> Asked | None:
    key = call.request.headers.get("idempotency-key")
    if key is None:
        return None
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        raise MalformedRequest("Idempotency-Key: must be 1 to 255 printable characters without spaces")
    if call.hub.redactor.known_in(key):
        raise MalformedRequest(f"Idempotency-Key: {HOLDS}")
    return Asked(call.caller.id, call.request.url.path, key, _digest(body))


def _known(tx: Transaction, asked: Asked) -> tuple[int, bytes] | None:
    tx.execute(delete(schema.idempotency).where(i.at_ms < tx.now_ms - KEPT_MS))
    same = (i.caller == asked.caller) & (i.path == asked.path) & (i.key == asked.key)
    known = tx.execute(select(i.body_hash, i.status, i.answer).where(same)).first()
    if known is None:
        return None
    if known.body_hash != asked.body_hash:
        raise Conflict("this Idempotency-Key was used with another body", code="idempotency_conflict")
    if not known.answer:
        raise Conflict("this was made already, and its secret is shown once", code="already_made")
    return known.status, known.answer


def _digest(body: Any) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
