"""Every route of the table × every kind of credential: who is not declared is refused, and who is declared gets on."""

import time
from collections.abc import Callable
from functools import partial

import jwt
import pytest

from hub.played import PlayedHub
from identity.asking import exchange, forget_limits
from identity.credentials import (
    HS256,
    OTHER_SECRET,
    SECRET,
    Claims,
    Wallet,
    by_hand,
    hmac_of_public_key,
    hmac_with,
    rs256,
    signed,
)
from identity.walk import FORBIDDEN, REFUSED, Headers, surprises
from swarm_hub.identity.jwts import REQUIRED, SKEW
from swarm_hub.routes.table import ROUTES

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCOPES = ("tasks:read", "tasks:write", "agents:read", "metrics:read", "admin")
OF_USERS = ("user", *SCOPES)
UNKNOWN_KEY = f"sk_swarm_nobodys_{'x' * 43}"
ENDED = ("a revoked key", "a token of a revoked key", "a revoked token", "an expired key", "a token of an earlier run")

NO_CREDENTIALS: dict[str, Headers] = {
    "nothing": [],
    "an empty header": [("Authorization", "")],
    "no scheme": [("Authorization", "token")],
    "no token": [("Authorization", "Bearer")],
    "a space before the token": [("Authorization", f"Bearer  {UNKNOWN_KEY}")],
    "Basic": [("Authorization", "Basic YWRtaW46YWRtaW4=")],
    "Digest": [("Authorization", 'Digest username="admin"')],
    "garbage": [("Authorization", "Bearer garbage")],
    "three dots": [("Authorization", "Bearer a.b.c.d")],
    "empty parts": [("Authorization", "Bearer ..")],
    "an unknown API key": [("Authorization", f"Bearer {UNKNOWN_KEY}")],
    "a key without its secret": [("Authorization", "Bearer sk_swarm_nobodys")],
    "a cookie": [("Cookie", f"token={UNKNOWN_KEY}; Authorization=Bearer")],
    "another header": [("X-Api-Key", UNKNOWN_KEY), ("Proxy-Authorization", f"Bearer {UNKNOWN_KEY}")],
}


def _lacking(name: str, claims: Claims) -> str:
    return signed({claim: value for claim, value in claims.items() if claim != name})


def _swapped(token: str, other: str) -> str:
    """One token's signature below what another one says."""
    head, _, signature = token.split(".")
    return f"{head}.{other.split('.')[1]}.{signature}"


FORGED: dict[str, Callable[[Claims], str]] = {
    "expired": lambda claims: signed({**claims, "exp": int(time.time()) - SKEW - 5}),
    "made in the future": lambda claims: signed({**claims, "iat": int(time.time()) + SKEW + 30}),
    "not valid yet": lambda claims: signed({**claims, "nbf": int(time.time()) + SKEW + 30}),
    "of another hub": lambda claims: signed(claims, OTHER_SECRET),
    "with another's signature": lambda claims: (
        signed(claims).rsplit(".", 1)[0] + "." + signed(claims, OTHER_SECRET).rsplit(".", 1)[1]
    ),
    "without a signature": lambda claims: signed(claims).rsplit(".", 1)[0] + ".",
    "changed after it was signed": lambda claims: _swapped(signed(claims), signed({**claims, "sub": "local"})),
    "alg none": lambda claims: by_hand({"alg": "none"}, claims, lambda _: b""),
    "alg None, by hand": lambda claims: by_hand({"alg": "None"}, claims, lambda _: b""),
    "alg nOnE, signed all the same": lambda claims: by_hand({"alg": "nOnE"}, claims, hmac_with(SECRET.encode())),
    "no alg": lambda claims: by_hand({"typ": "JWT"}, claims, hmac_with(SECRET.encode())),
    "a list of algs": lambda claims: by_hand({"alg": ["HS256"]}, claims, hmac_with(SECRET.encode())),
    "HS512": lambda claims: jwt.encode(claims, SECRET * 2, "HS512"),
    "HS384 with our secret": lambda claims: by_hand({"alg": "HS384"}, claims, hmac_with(SECRET.encode())),
    "RS256 with a key pair": rs256,
    "HMAC of a public key": hmac_of_public_key,
    "RS256 said, HMAC with our secret": lambda claims: by_hand({"alg": "RS256"}, claims, hmac_with(SECRET.encode())),
    "a critical header": lambda claims: by_hand({**HS256, "crit": ["x"], "x": 1}, claims, hmac_with(SECRET.encode())),
    "for somebody else": lambda claims: signed({**claims, "aud": "another service"}),
    "of a key that is not known": lambda claims: signed({**claims, "sub": "key_nobodys"}),
    "of an agent": lambda claims: signed({**claims, "sub": "local-agent-00000000"}),
    "of this machine's user, from elsewhere": lambda claims: signed({**claims, "sub": "local"}),
    "claims that are a list": lambda claims: by_hand(HS256, [claims], hmac_with(SECRET.encode())),
    "claims that are nothing": lambda _: by_hand(HS256, None, hmac_with(SECRET.encode())),
}
FORGED |= {f"without {name}": partial(_lacking, name) for name in REQUIRED}

WRONG_TYPES: dict[str, Claims] = {
    "scope, a text": {"scope": "admin"},
    "scope, an object": {"scope": {"admin": True}},
    "scope, numbers": {"scope": [1]},
    "scope, nothing": {"scope": None},
    "sub, a number": {"sub": 1},
    "sub, an object": {"sub": {"id": "local"}},
    "jti, a number": {"jti": 7},
    "jti, nothing": {"jti": None},
    "root, a list": {"root": []},
    "device, a number": {"device": 1},
    "exp, a text": {"exp": "4000000000"},
    "exp, without an end": {"exp": 1e400},
    "exp, true": {"exp": True},
    "exp, beyond all calendars": {"exp": 10**400},
    "iat, a text": {"iat": "yesterday"},
    "iat, digits": {"iat": "1"},
    "iat, a list": {"iat": []},
}


async def refused(hub: PlayedHub, wallet: Wallet, headers: Headers) -> list[str]:
    return await surprises(hub, headers, wallet.agent.id, (), REFUSED)


def bearer(credential: str) -> Headers:
    return [("Authorization", f"Bearer {credential}")]


@pytest.mark.parametrize("shown", NO_CREDENTIALS)
async def test_what_is_no_credential_opens_nothing(shared: PlayedHub, wallet: Wallet, shown: str) -> None:
    assert await refused(shared, wallet, NO_CREDENTIALS[shown]) == []


@pytest.mark.parametrize("forgery", FORGED)
async def test_a_forged_token_opens_nothing(shared: PlayedHub, wallet: Wallet, forgery: str) -> None:
    assert await refused(shared, wallet, bearer(FORGED[forgery](wallet.claims))) == []


@pytest.mark.parametrize("claim", WRONG_TYPES)
async def test_a_claim_of_another_type_opens_nothing(shared: PlayedHub, wallet: Wallet, claim: str) -> None:
    """However well it is signed: the secret may be shared with something else."""
    assert await refused(shared, wallet, bearer(signed({**wallet.claims, **WRONG_TYPES[claim]}))) == []


async def test_a_scope_that_there_is_not_opens_what_asks_for_none(shared: PlayedHub, wallet: Wallet) -> None:
    token = signed({**wallet.claims, "jti": "of the walk", "scope": ["root"]})
    assert await surprises(shared, bearer(token), wallet.agent.id, ("user",), FORBIDDEN) == []


@pytest.mark.parametrize("fate", ENDED)
async def test_what_was_good_once_opens_nothing(shared: PlayedHub, wallet: Wallet, fate: str) -> None:
    assert await refused(shared, wallet, bearer(wallet.ended[fate])) == []


async def test_of_two_credentials_neither_counts(shared: PlayedHub, wallet: Wallet) -> None:
    good = bearer(wallet.scoped["admin"])
    assert await refused(shared, wallet, [*good, *good]) == []
    assert await refused(shared, wallet, [*good, ("Authorization", "Basic x")]) == []


async def test_two_credentials_in_one_header_are_none(shared: PlayedHub, wallet: Wallet) -> None:
    key = wallet.scoped["admin"]
    assert await refused(shared, wallet, bearer(f"{key}, Bearer {key}")) == []


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_key_opens_what_its_scope_names(shared: PlayedHub, wallet: Wallet, scope: str) -> None:
    """And `admin` opens all that users may; no scope opens the paths of workers or of the model."""
    welcome = OF_USERS if scope == "admin" else ("user", scope)
    assert await surprises(shared, bearer(wallet.scoped[scope]), wallet.agent.id, welcome, FORBIDDEN) == []


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_token_opens_what_its_key_opens(shared: PlayedHub, wallet: Wallet, scope: str) -> None:
    forget_limits(shared)
    token = await exchange(shared, wallet.scoped[scope])
    welcome = OF_USERS if scope == "admin" else ("user", scope)
    assert await surprises(shared, bearer(token), wallet.agent.id, welcome, FORBIDDEN) == []


async def test_a_worker_token_opens_the_paths_of_its_own_agent(shared: PlayedHub, wallet: Wallet) -> None:
    token = bearer(wallet.agent.worker_token)
    assert await surprises(shared, token, wallet.agent.id, ("worker",), REFUSED) == []


async def test_a_worker_token_opens_nothing_of_another_agent(shared: PlayedHub, wallet: Wallet) -> None:
    """At `/git` it is heard, and told that there is nothing (tests/elsewhere)."""
    token = bearer(wallet.other.worker_token)
    assert await surprises(shared, token, wallet.agent.id, ("git:read", "git:write"), REFUSED) == []


async def test_a_model_token_opens_the_model_alone(shared: PlayedHub, wallet: Wallet) -> None:
    token = bearer(wallet.agent.model_token)
    assert await surprises(shared, token, wallet.agent.id, ("model",), REFUSED) == []


async def test_the_hub_users_own_token_opens_all_that_users_may(shared: PlayedHub, wallet: Wallet) -> None:
    identity = shared.parts.identity
    token = identity.signer.sign(shared.parts.grants.for_this_run(identity.clock()), identity.clock())
    assert await surprises(shared, bearer(token), wallet.agent.id, OF_USERS, FORBIDDEN) == []


async def test_clocks_may_differ_by_half_a_minute(shared: PlayedHub, wallet: Wallet) -> None:
    now = int(time.time())
    slow = signed({**wallet.claims, "jti": "slow", "exp": now - SKEW + 10})
    fast = signed({**wallet.claims, "jti": "fast", "iat": now + SKEW - 10})
    for token in (slow, fast):
        assert await surprises(shared, bearer(token), wallet.agent.id, OF_USERS, FORBIDDEN) == []


async def test_a_scheme_may_be_written_in_small_letters(shared: PlayedHub, wallet: Wallet) -> None:
    headers = [("Authorization", f"bearer {wallet.scoped['admin']}")]
    assert await surprises(shared, headers, wallet.agent.id, OF_USERS, FORBIDDEN) == []


async def test_head_asks_for_what_get_asks_for(shared: PlayedHub, wallet: Wallet) -> None:
    headers = {"Authorization": f"Bearer {wallet.scoped['metrics:read']}", "Accept": "application/json"}
    paths = [route.path for route in ROUTES if route.method == "GET" and route.permission == "tasks:read"]
    answers = [await shared.http.head(path.replace("{id}", "x"), headers=headers) for path in paths]
    assert {answer.status_code for answer in answers} == {403}
