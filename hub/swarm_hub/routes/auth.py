"""Keys and tokens: made, listed, ended."""

from dataclasses import replace
from datetime import datetime

from starlette.responses import Response

from swarm_api.auth import KeyIn, KeyList, KeyMade, KeyOut, RevokeIn, TokenIn, TokenOut
from swarm_api.base import Answer, from_ms
from swarm_api.errors import Conflict
from swarm_api.words import Scope
from swarm_hub.disclosed import refuse_disclosed
from swarm_hub.http import Call, NoBody, parse, reply
from swarm_hub.identity import grants, keys
from swarm_hub.identity.callers import LOCAL, SCOPES, Caller
from swarm_hub.identity.keys import Key
from swarm_hub.repeats import once_secret
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction


async def token(call: Call) -> Response:
    """A token for an API key. Raises `NotAuthenticated`."""
    wish = parse(TokenIn, await call.fields())
    refuse_disclosed({"device": wish.device}, call.hub.redactor)
    owner = await call.hub.identity.owner(wish.api_key, call.address)
    made = call.hub.grants.for_key(owner.id, wish.device, call.hub.identity.clock())

    def work(tx: Transaction) -> None:
        grants.record_token(tx, made)
        call.record(tx, "token.create", target=made.jti, detail=made.device, who=owner.id)

    await call.hub.store.write(work)
    return _token(call, made)


async def refresh(call: Call) -> Response:
    parse(NoBody, await call.fields())
    made = call.hub.grants.refreshed(call.caller, call.hub.identity.clock())

    def work(tx: Transaction) -> None:
        grants.refuse_revoked(tx, call.caller)
        if made.id != LOCAL:
            grants.record_token(tx, made)
        call.record(tx, "token.refresh", target=made.jti, detail=made.device)

    await call.hub.store.write(work)
    return _token(call, made)


async def revoke(call: Call) -> Response:
    device = parse(RevokeIn, await call.fields()).device
    refuse_disclosed({"device": device}, call.hub.redactor)
    caller = call.caller
    if device is None and caller.jti is None:
        raise Conflict(f"an API key is no token; DELETE /api/auth/api-keys/{caller.id} ends it", code="not_a_token")

    def work(tx: Transaction) -> list[str]:
        ended = grants.revoke_tokens(tx, caller, device)
        call.record(tx, "token.revoke", target=caller.jti if device is None else None, detail=device)
        return ended

    ended = await call.hub.store.write(work)
    # Which of them were refreshed from which is written down nowhere, and the hub leaves its user another at once.
    of_this_run = call.hub.identity.book.of_this_run if caller.id == LOCAL and device is None else ()
    call.hub.end_tokens([*ended, *of_this_run])
    return Response(status_code=204)


async def create_key(call: Call) -> Response:
    data = await call.fields()
    wish = parse(KeyIn, data)
    refuse_disclosed(data, call.hub.redactor)
    text = keys.draw()
    now_ms = call.hub.store.now_ms()
    key = call.hub.grants.key(wish, call.caller, str(keys.key_id(text)), now_ms)
    key = replace(key, hash=await call.hub.identity.hash_key(text))

    def work(tx: Transaction) -> tuple[int, Answer]:
        grants.refuse_revoked(tx, call.caller)
        tx.add(schema.api_keys, key.row())
        call.record(tx, "key.create", target=key.id, detail=f"{key.name}: {' '.join(sorted(key.scopes))}")
        return 201, KeyMade(id=key.id, key=text, name=key.name, scopes=_scopes(key), expires_at=_time(key.expires_ms))

    response = await once_secret(call, data, work)
    call.hub.identity.book.keys[key.id] = key
    return response


async def list_keys(call: Call) -> Response:
    shown = grants.visible_keys(call.hub.identity.book, call.caller)
    return reply(KeyList(keys=[_key(key) for key in shown]))


async def revoke_key(call: Call) -> Response:
    """Ends the key, its tokens and the keys that end with it; again: nothing changes."""
    book = call.hub.identity.book
    key = grants.find_key(book, call.caller, call.path("id"))

    def work(tx: Transaction) -> None:
        grants.revoke_key(tx, key)
        call.record(tx, "key.revoke", target=key.id, detail=key.name)

    if key.revoked_ms is None:
        await call.hub.store.write(work)
        call.hub.end_key(key.id)
    return Response(status_code=204)


def _token(call: Call, made: Caller) -> Response:
    identity = call.hub.identity
    expires = from_ms(int(made.expires or 0) * 1000)
    return reply(TokenOut(token=identity.signer.sign(made, identity.clock()), expires_at=expires, scope=_scopes(made)))


def _key(key: Key) -> KeyOut:
    created, expires, revoked = from_ms(key.created_ms), _time(key.expires_ms), _time(key.revoked_ms)
    return KeyOut(
        id=key.id, prefix=keys.prefix(key.id), name=key.name, scopes=_scopes(key), created_at=created,
        created_by=key.maker, expires_at=expires, revoked_at=revoked,
    )  # fmt: skip


def _scopes(of: Key | Caller) -> list[Scope]:
    return [scope for scope in SCOPES if scope in of.scopes]


def _time(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)
