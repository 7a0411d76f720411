"""Tokens: made from a key, renewed within what it may, ended alone, with their family, or by device."""

import asyncio
import time
from typing import Any

import jwt
import pytest
from sqlalchemy import delete

from hub.played import PlayedHub
from hub.problems import assert_problem
from hubs import ADMIN_KEY
from identity.asking import (
    REFRESH,
    REVOKE,
    TOKEN,
    ask,
    bearer,
    end_key,
    end_token,
    exchange,
    make_key,
    pass_time,
    refresh,
    status,
)
from identity.credentials import SECRET, written
from swarm_api.words import Scope
from swarm_hub.identity.jwts import SKEW
from swarm_hub.store import schema

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEEK = 7 * 24 * 60 * 60


@pytest.fixture(name="hub")
def _hub(rested: PlayedHub) -> PlayedHub:
    return rested


async def test_a_token_says_what_the_contract_says(hub: PlayedHub) -> None:
    made = await make_key(hub, "tasks:read", "agents:read")
    token = await exchange(hub, made["key"], device="a phone")
    claims = jwt.decode(token, SECRET, ["HS256"])
    assert (claims["sub"], claims["scope"], claims["device"]) == (made["id"], ["tasks:read", "agents:read"], "a phone")
    assert claims["exp"] - claims["iat"] == WEEK
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}


async def test_the_answer_says_what_the_token_says(hub: PlayedHub) -> None:
    made = await make_key(hub, "tasks:read")
    answer = (await hub.post(TOKEN, {"apiKey": made["key"]})).json()
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(written(answer["token"])["exp"]))
    assert (answer["expiresAt"], answer["scope"]) == (ends, ["tasks:read"])


async def test_a_token_of_an_admin_names_every_scope(hub: PlayedHub) -> None:
    """Clients look for a scope by its name."""
    assert set(written(await exchange(hub, ADMIN_KEY))["scope"]) == set(Scope.__args__)  # type: ignore[attr-defined]


async def test_two_tokens_of_a_key_are_two(hub: PlayedHub) -> None:
    first, second = [await exchange(hub, ADMIN_KEY) for _ in range(2)]
    assert written(first)["jti"] != written(second)["jti"]


@pytest.mark.parametrize("key", ["", "x", "sk_swarm_", f"sk_swarm_nobodys_{'x' * 43}", ADMIN_KEY[:-1], ADMIN_KEY + "k"])
async def test_a_wrong_key_gets_no_token(hub: PlayedHub, key: str) -> None:
    answer = await hub.post(TOKEN, {"apiKey": key})
    assert_problem(answer, 401, "not_authenticated")
    assert answer.json()["detail"] == "the API key is not valid"


async def test_a_token_is_no_key(hub: PlayedHub) -> None:
    answer = await hub.post(TOKEN, {"apiKey": await exchange(hub, ADMIN_KEY)})
    assert_problem(answer, 401, "not_authenticated")


async def test_a_revoked_key_gets_no_token(hub: PlayedHub) -> None:
    made = await make_key(hub)
    await end_key(hub, made["id"])
    assert_problem(await hub.post(TOKEN, {"apiKey": made["key"]}), 401, "not_authenticated")


async def test_a_token_ends_after_its_time(hub: PlayedHub) -> None:
    token = await exchange(hub, ADMIN_KEY)
    pass_time(hub, WEEK)
    assert await status(hub, token) == 200  # two clocks may differ by so much
    pass_time(hub, SKEW + 2)
    answer = await ask(hub, token)
    assert_problem(answer, 401, "not_authenticated")
    assert "expired" in answer.json()["detail"]


async def test_a_token_that_was_never_shown_ends_after_its_time_too(hub: PlayedHub) -> None:
    token = await exchange(hub, ADMIN_KEY)
    pass_time(hub, WEEK + SKEW + 2)
    assert await status(hub, token) == 401


async def test_a_refreshed_token_has_more_time(hub: PlayedHub) -> None:
    token = await exchange(hub, ADMIN_KEY, device="a phone")
    pass_time(hub, WEEK - 60)
    again = await refresh(hub, token)
    pass_time(hub, WEEK - 60)
    assert await status(hub, again) == 200
    assert written(again)["device"] == "a phone"


async def test_a_token_that_has_ended_is_not_refreshed(hub: PlayedHub) -> None:
    token = await exchange(hub, ADMIN_KEY)
    pass_time(hub, WEEK + SKEW + 2)
    assert_problem(await hub.post(REFRESH, **bearer(token)), 401, "not_authenticated")


async def test_a_refreshed_token_may_no_more_than_the_one_before(hub: PlayedHub) -> None:
    made = await make_key(hub, "tasks:read", "agents:read")
    claims = written(await exchange(hub, made["key"]))
    less = jwt.encode({**claims, "scope": ["tasks:read"]}, SECRET, "HS256")
    assert written(await refresh(hub, less))["scope"] == ["tasks:read"]


async def test_a_refreshed_token_may_no_more_than_its_key(hub: PlayedHub) -> None:
    made = await make_key(hub, "tasks:read")
    claims = written(await exchange(hub, made["key"]))
    more = jwt.encode({**claims, "scope": ["tasks:read", "admin"]}, SECRET, "HS256")
    assert written(await refresh(hub, more))["scope"] == ["tasks:read"]


async def test_a_refreshed_token_does_not_outlive_its_key(hub: PlayedHub) -> None:
    made = await make_key(hub, expiresInDays=3)
    token = await refresh(hub, await exchange(hub, made["key"]))
    pass_time(hub, 3 * 24 * 60 * 60 + 1)
    assert await status(hub, token) == 401


async def test_a_token_of_a_revoked_key_is_not_refreshed(hub: PlayedHub) -> None:
    made = await make_key(hub)
    token = await exchange(hub, made["key"])
    await end_key(hub, made["id"])
    assert_problem(await hub.post(REFRESH, **bearer(token)), 401, "not_authenticated")


async def test_a_revoked_token_is_worth_nothing_from_that_moment(hub: PlayedHub) -> None:
    token, other = [await exchange(hub, ADMIN_KEY) for _ in range(2)]
    assert await status(hub, token) == 200
    await end_token(hub, token)
    assert_problem(await ask(hub, token), 401, "not_authenticated")
    assert await status(hub, other) == 200


@pytest.mark.parametrize("shown", [0, 1, 2])
async def test_a_family_ends_together(hub: PlayedHub, shown: int) -> None:
    """Whoever took one of them and refreshed it has lost that too."""
    family = [await exchange(hub, ADMIN_KEY)]
    family += [await refresh(hub, family[0])]
    family += [await refresh(hub, family[1])]
    await end_token(hub, family[shown])
    assert [await status(hub, token) for token in family] == [401, 401, 401]


async def test_who_refreshes_while_the_token_is_revoked_gets_nothing_that_works(hub: PlayedHub) -> None:
    token = await exchange(hub, ADMIN_KEY)
    headers = bearer(token)
    _, answer = await asyncio.gather(hub.post(REVOKE, {}, **headers), hub.post(REFRESH, **headers))
    assert answer.status_code == 401 or await status(hub, answer.json()["token"]) == 401


async def test_a_token_that_the_database_lost_can_be_revoked(hub: PlayedHub) -> None:
    """It was restored from a copy that is older than the token."""
    token = await exchange(hub, ADMIN_KEY)
    lost = delete(schema.tokens).where(schema.tokens.c.jti == written(token)["jti"])
    await hub.parts.store.write(lambda tx: tx.execute(lost).rowcount)
    await end_token(hub, token)
    assert await status(hub, token) == 401


async def test_all_tokens_of_a_device_end_together(hub: PlayedHub) -> None:
    phone = [await exchange(hub, ADMIN_KEY, device="phone") for _ in range(2)]
    laptop = await exchange(hub, ADMIN_KEY, device="laptop")
    await end_token(hub, laptop, device="phone")
    assert [await status(hub, token) for token in (*phone, laptop)] == [401, 401, 200]


async def test_the_key_itself_may_end_its_devices(hub: PlayedHub) -> None:
    phone = await exchange(hub, ADMIN_KEY, device="lost phone")
    await end_token(hub, ADMIN_KEY, device="lost phone")
    assert await status(hub, phone) == 401


async def test_a_device_of_another_key_is_another_device(hub: PlayedHub) -> None:
    mine, other = [await exchange(hub, (await make_key(hub))["key"], device="phone") for _ in range(2)]
    await end_token(hub, mine, device="phone")
    assert [await status(hub, token) for token in (mine, other)] == [401, 200]


async def test_a_key_is_not_revoked_as_a_token(hub: PlayedHub) -> None:
    answer = await hub.post(REVOKE, {})
    assert_problem(answer, 409, "not_a_token")
    assert await status(hub, ADMIN_KEY) == 200


async def test_who_refreshes_with_a_key_gets_a_token_of_it(hub: PlayedHub) -> None:
    made = await make_key(hub, "tasks:read")
    token = await refresh(hub, made["key"])
    assert (written(token)["sub"], written(token)["scope"]) == (made["id"], ["tasks:read"])


@pytest.mark.parametrize("fields", [{"device": 5}, {"device": ""}, {"device": "a\nb"}, {"devices": "phone"}])
async def test_a_bad_device_is_named(hub: PlayedHub, fields: dict[str, Any]) -> None:
    field = next(iter(fields))
    assert_problem(await hub.post(REVOKE, fields), 422, "invalid_input", field)
    assert_problem(await hub.post(TOKEN, {"apiKey": ADMIN_KEY, **fields}), 422, "invalid_input", field)


async def test_what_has_run_out_is_forgotten(hub: PlayedHub) -> None:
    """The table of tokens does not grow for ever."""
    token = await exchange(hub, (await make_key(hub, expiresInDays=1))["key"])
    t = schema.tokens.c
    old = schema.tokens.update().where(t.jti == written(token)["jti"]).values(expires_ms=1)
    await hub.parts.store.write(lambda tx: tx.execute(old).rowcount)
    await exchange(hub, ADMIN_KEY)
    left = await hub.parts.store.read(lambda c: c.execute(schema.tokens.select()).all())
    assert written(token)["jti"] not in {row.jti for row in left}
