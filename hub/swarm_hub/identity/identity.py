"""Whom a request comes from, and whether it may: the one door to every route."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import NamedTuple

from starlette.requests import HTTPConnection

from swarm_api.errors import Forbidden, NotAuthenticated, SwarmError, TooManyRequests
from swarm_api.words import Scope
from swarm_hub.identity import keys
from swarm_hub.identity.agent_tokens import AgentTokens, Kind
from swarm_hub.identity.attempts import Attempts, house
from swarm_hub.identity.book import Book
from swarm_hub.identity.callers import ADMIN, ANYBODY, Caller, Permission
from swarm_hub.identity.jwts import Signer

BOOTSTRAP = "bootstrap"
MOST_KNOWN = 4_096  # credentials that are known again without being checked
MOST_WAITING = 64  # keys that wait to be checked, some 4 s of work, from however many addresses they come
MOST_OF_ONE = 16  # of them from one address, so that no address keeps all others out
_CREDENTIAL = re.compile(r"[\x21-\x7e]{1,4096}")

Clock = Callable[[], float]


class Presented(NamedTuple):
    """What a request shows. `credential` is None where it shows nothing."""

    credential: str | None
    address: str


GIT: Mapping[Permission, Scope] = {"git:read": "tasks:read", "git:write": "tasks:write"}
"""What a user needs where a worker shows its token."""


class Identity:
    """Knows callers by their credentials. What was checked once is looked up from then on, until it ends."""

    def __init__(
        self, book: Book, signer: Signer, agents: AgentTokens, attempts: Attempts, bootstrap: str | None = None,
        clock: Clock = time.time,
    ) -> None:  # fmt: skip
        """`bootstrap`: an admin key that is written down nowhere."""
        self.book = book
        self.signer = signer
        self.agents = agents
        self.attempts = attempts
        self.clock = clock
        self._known: dict[bytes, Caller] = {}
        self._hashing = asyncio.Lock()
        self._waiting: Counter[bytes] = Counter()  # digests of keys, by how many requests show each
        self._first: dict[bytes, str] = {}  # who showed each of them first
        self._thread = ThreadPoolExecutor(1, "swarm-bcrypt")
        self._given = dict([self._give(bootstrap)] if bootstrap else [])

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    async def admit(self, permission: Permission, connection: HTTPConnection) -> Caller:
        """The caller, who may. Raises `NotAuthenticated`, `Forbidden` and `TooManyRequests`."""
        if permission == "open":
            return ANYBODY
        if permission in ("worker", "model"):
            shown = presented_to_model(connection) if permission == "model" else presented(connection)
            return self._agent(permission, shown, connection.path_params.get("id"))
        if permission in GIT and (worker := self._worker(presented(connection))) is not None:
            return worker
        caller = self._recognised(connection) or await self.user(presented(connection))
        scope = GIT.get(permission, permission)
        if scope != "user" and not caller.may(scope):
            self._count(presented(connection), "forbidden_scope")
            raise Forbidden(f"this takes the scope {scope}", code="forbidden_scope", scope=scope)
        return caller

    async def user(self, shown: Presented) -> Caller:
        """Whoever shows a key or a token that is good. Raises `NotAuthenticated`, `TooManyRequests`."""
        if shown.credential is None:
            raise NotAuthenticated("this takes a credential: Authorization: Bearer <token or API key>")
        digest = _digest(shown.credential.encode())
        caller = (
            self._known.get(digest) or self._given.get(digest) or await self._check(shown, shown.credential, digest)
        )
        if end := self.book.end_of(caller, self.clock()):
            raise self._refusal(shown, end)
        return caller

    async def owner(self, key: str, address: str) -> Caller:
        """Whose an API key is. Raises `NotAuthenticated`, also for a token, and `TooManyRequests`."""
        shown = Presented(key, address)
        if not key.startswith("sk_swarm_"):
            raise self._refusal(shown, "the API key is not valid")
        return await self.user(shown)

    def lives(self, caller: Caller) -> bool:
        """Whether what a caller showed is still good: asked again and again by whatever stays open."""
        return caller is ANYBODY or self.book.end_of(caller, self.clock()) is None

    def refuse_ended(self, caller: Caller) -> None:
        """Raises `NotAuthenticated` for a user whose credential has ended since it was shown."""
        if caller.scopes and (end := self.book.end_of(caller, self.clock())):
            raise NotAuthenticated(end)

    async def hash_key(self, key: str) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._thread, keys.hash_key, key)

    def _recognised(self, connection: HTTPConnection) -> Caller | None:
        """Whoever shows what was found good before, as nearly everybody does: looked up before all else."""
        values = [value for name, value in connection.scope["headers"] if name == b"authorization"]
        if len(values) != 1 or not values[0].startswith(b"Bearer "):
            return None
        digest = _digest(values[0][7:])
        caller = self._known.get(digest) or self._given.get(digest)
        return None if caller is None or self.book.end_of(caller, self.clock()) else caller

    async def _check(self, shown: Presented, credential: str, digest: bytes) -> Caller:
        if credential.startswith("sk_swarm_"):
            caller = await self._key(shown, credential, digest)
        else:
            try:
                caller = self.signer.read(credential, self.clock())
            except NotAuthenticated as error:
                raise self._refusal(shown, error.detail) from None
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[digest] = caller
        return caller

    async def _key(self, shown: Presented, credential: str, digest: bytes) -> Caller:
        """Raises `NotAuthenticated`, and `TooManyRequests` also when as many as may are waiting to be checked."""
        id_ = keys.key_id(credential)
        if id_ is None:
            raise self._refusal(shown, "the API key is not valid")
        self.attempts.may_try(shown.address)
        if digest not in self._waiting:
            self._first[digest] = self._place_for(house(shown.address))
        self._waiting[digest] += 1
        try:
            return await self._checked_key(shown, credential, digest, id_)
        finally:
            self._waiting[digest] -= 1
            if not self._waiting[digest]:
                del self._waiting[digest], self._first[digest]

    def _place_for(self, address: str) -> str:
        """The address, if there is room for a key of its. Raises `TooManyRequests`."""
        of_it = sum(each == address for each in self._first.values())
        if len(self._first) >= MOST_WAITING or of_it >= MOST_OF_ONE:
            raise TooManyRequests("too many API keys are being checked; try again in 5 s", retryAfter=5)
        return address

    async def _checked_key(self, shown: Presented, credential: str, digest: bytes, id_: str) -> Caller:
        """One key at a time: nobody gets more than a processor's worth of hashing, and what was checked meanwhile is
        known."""
        async with self._hashing:
            if known := self._known.get(digest):
                return known
            self.attempts.may_try(shown.address)
            key = self.book.keys.get(id_)
            hash_ = key.hash if key else keys.NOBODYS
            loop = asyncio.get_running_loop()
            right = await loop.run_in_executor(self._thread, keys.matches, credential, hash_)
            if not right or key is None:
                self.attempts.wrong_key(shown.address)
                raise self._refusal(shown, "the API key is not valid")
        return Caller(id_, key.scopes)

    def _worker(self, shown: Presented) -> Caller | None:
        opened = self.agents.open("worker", shown.credential or "", self.clock())
        return Caller(opened.agent_id, expires=opened.expires) if opened else None

    def _agent(self, kind: Kind, shown: Presented, agent_id: str | None) -> Caller:
        opened = self.agents.open(kind, shown.credential or "", self.clock())
        if opened is None or agent_id not in (None, opened.agent_id):
            whose = "the worker token of its own agent" if kind == "worker" else "an agent's model token"
            raise self._refusal(shown, f"this path takes {whose}")
        return Caller(opened.agent_id, expires=opened.expires)

    def _refusal(self, shown: Presented, reason: str) -> SwarmError:
        self._count(shown, reason)
        return NotAuthenticated(reason)

    def _count(self, shown: Presented, reason: str) -> None:
        self.attempts.failed(shown.address, reason, _shown_of(shown.credential))

    def _give(self, key: str) -> tuple[bytes, Caller]:
        id_ = str(keys.key_id(key))
        self.book.keys[id_] = keys.Key(id_, BOOTSTRAP, keys.NOBODYS, frozenset({ADMIN}), "environment", 0)
        return _digest(key.encode()), Caller(id_, frozenset({ADMIN}))


def presented(connection: HTTPConnection) -> Presented:
    """The one `Authorization: Bearer` of a request; a WebSocket of a browser may offer `bearer.<token>` instead."""
    credential = _bearer([value for name, value in connection.scope["headers"] if name == b"authorization"])
    if credential is None and connection.scope["type"] == "websocket":
        credential = _of_protocols(connection.scope["subprotocols"])
    return Presented(credential, address_of(connection))


def presented_to_model(connection: HTTPConnection) -> Presented:
    """Runtimes show their key as the Messages API has it, in `x-api-key`, or as a bearer."""
    values = [b"bearer " + value for name, value in connection.scope["headers"] if name == b"x-api-key"]
    return Presented(_bearer(values), address_of(connection)) if values else presented(connection)


def address_of(connection: HTTPConnection) -> str:
    """The caller's address, behind proxies that are trusted too."""
    return connection.client.host if connection.client else "unknown"


def _digest(credential: bytes) -> bytes:
    return blake2b(credential).digest()


def _bearer(values: list[bytes]) -> str | None:
    if len(values) != 1:  # of two, one of which somebody on the way did not see, neither counts
        return None
    scheme, _, credential = values[0].decode("latin-1").partition(" ")
    return credential if scheme.lower() == "bearer" and _CREDENTIAL.fullmatch(credential) else None


def _of_protocols(protocols: Iterable[str]) -> str | None:
    offered = [protocol.removeprefix("bearer.") for protocol in protocols if protocol.startswith("bearer.")]
    return offered[0] if len(offered) == 1 and _CREDENTIAL.fullmatch(offered[0]) else None


def _shown_of(credential: str | None) -> str:
    """What may be told of a credential that was refused."""
    if credential is None:
        return "a request without a credential"
    id_ = keys.key_id(credential)
    return f"the key {keys.prefix(id_)}" if id_ else "a token"
