"""Every kind of credential that somebody might show to the hub, good ones and bad ones."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import insert

from hub.played import PlayedHub
from identity.asking import end_key, end_token, exchange, forget_limits, make_key
from swarm_hub.identity import keys
from swarm_hub.identity.keys import Key
from swarm_hub.store import schema

SECRET = "the secret of the hub in the tests of identity"
OTHER_SECRET = "the secret of some other hub, just as long"
HS256 = {"alg": "HS256", "typ": "JWT"}
HOUR = 3600
Claims = dict[str, Any]


@dataclass(frozen=True)
class Agent:
    """A running agent and its two tokens."""

    id: str
    worker_token: str
    model_token: str


@dataclass(frozen=True)
class Wallet:
    """`claims`: those of a good token of an admin key, to be changed and signed anew."""

    claims: Claims
    scoped: dict[str, str]  # an API key for each scope
    agent: Agent
    other: Agent
    ended: dict[str, str]  # credentials that were good once, by what befell them


async def fill_wallet(hub: PlayedHub) -> Wallet:
    forget_limits(hub)
    good = await make_key(hub, "admin")
    claims = jwt.decode(await exchange(hub, good["key"]), SECRET, ["HS256"])
    scoped = {scope: (await make_key(hub, scope))["key"] for scope in ("tasks:read", "tasks:write", "agents:read")}
    scoped |= {scope: (await make_key(hub, scope))["key"] for scope in ("metrics:read", "admin")}
    forget_limits(hub)
    return Wallet(claims, scoped, await _agent(hub), await _agent(hub), await _ended(hub))


def signed(claims: Claims, secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm)


def by_hand(header: object, claims: object, sign: Callable[[bytes], bytes]) -> str:
    """A token that no library would make."""
    said = b".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
    return b".".join((said, _encoded(sign(said)))).decode()


def hmac_with(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda said: hmac.digest(secret, said, hashlib.sha256)


def rs256(claims: Claims) -> str:
    """Signed with somebody's own key pair."""
    private = generate_private_key(65537, 2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return jwt.encode(claims, pem, "RS256")


def hmac_of_public_key(claims: Claims) -> str:
    """The classic confusion: a public key, which everybody has, taken for the secret of an HMAC."""
    pem = generate_private_key(65537, 2048).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return by_hand({"alg": "HS256", "typ": "JWT"}, claims, hmac_with(pem))


async def expired_key(hub: PlayedHub) -> str:
    """An API key whose time is over. No request makes one: the shortest lives for a day."""
    text = keys.draw()
    id_ = str(keys.key_id(text))
    now_ms = hub.parts.store.now_ms()
    key = Key(id_, "old", keys.hash_key(text), frozenset({"admin"}), "local", now_ms - 2, expires_ms=now_ms - 1)
    await hub.parts.store.write(lambda tx: tx.execute(insert(schema.api_keys).values(key.row())).rowcount)
    hub.parts.identity.book.keys[id_] = key
    return text


def written(token: str) -> Claims:
    """What a token says, whoever signed it."""
    claims: Claims = jwt.decode(token, options={"verify_signature": False})
    return claims


def in_file(hub: Path) -> dict[str, Any]:
    """The runtime file below a test's folder."""
    note: dict[str, Any] = json.loads((hub / "data" / "hub.json").read_text())
    return note


async def _agent(hub: PlayedHub) -> Agent:
    _, worker = await hub.running()
    agents = hub.parts.identity.agents
    model = agents.issue("model", worker.agent_id, time.time())
    return Agent(worker.agent_id, worker.headers["authorization"].removeprefix("Bearer "), model)


async def _ended(hub: PlayedHub) -> dict[str, str]:
    key, of_token = await make_key(hub, "admin"), await make_key(hub, "admin")
    of_key = await exchange(hub, key["key"])
    token = await exchange(hub, of_token["key"])
    await end_key(hub, key["id"])
    await end_token(hub, token)
    identity = hub.parts.identity
    here = identity.signer.sign(hub.parts.grants.for_this_run(identity.clock()), identity.clock())
    identity.book.of_this_run.clear()  # as a hub that was started again
    return {
        "a revoked key": key["key"], "a token of a revoked key": of_key, "a revoked token": token,
        "an expired key": await expired_key(hub), "a token of an earlier run": here,
    }  # fmt: skip


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
