"""API keys: made within what their maker may, listed without their secret, ended at once."""

import asyncio
from typing import Any

import pytest

from hub.played import PlayedHub
from hub.problems import assert_problem
from hubs import ADMIN_KEY
from identity.asking import KEYS, ask, bearer, end_key, exchange, make_key, pass_time, status
from swarm_api.ids import API_KEY

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = 24 * 60 * 60


@pytest.fixture(name="hub")
def _hub(rested: PlayedHub) -> PlayedHub:
    return rested


async def listed(hub: PlayedHub, by: str = ADMIN_KEY) -> dict[str, Any]:
    """The keys that somebody sees, by their ids."""
    answer = await ask(hub, by, KEYS)
    assert answer.status_code == 200, answer.text
    return {key["id"]: key for key in answer.json()["keys"]}


async def called(hub: PlayedHub, name: str) -> int:
    """How many keys there are of a name."""
    return sum(key["name"] == name for key in (await listed(hub)).values())


async def test_a_key_has_the_contracts_format(hub: PlayedHub) -> None:
    made = await make_key(hub)
    match = API_KEY.fullmatch(made["key"])
    assert match is not None
    assert made["id"] == f"key_{match[1]}"


async def test_a_key_works_as_soon_as_it_is_made(hub: PlayedHub) -> None:
    assert await status(hub, (await make_key(hub))["key"]) == 200


async def test_no_two_keys_are_alike(hub: PlayedHub) -> None:
    keys = [await make_key(hub) for _ in range(5)]
    assert len({made["key"] for made in keys}) == len({made["id"] for made in keys}) == 5


async def test_a_key_for_ever_says_so(hub: PlayedHub) -> None:
    assert (await make_key(hub))["expiresAt"] is None


async def test_a_key_ends_after_its_days(hub: PlayedHub) -> None:
    key = (await make_key(hub, expiresInDays=2))["key"]
    pass_time(hub, 2 * DAY - 60)
    assert await status(hub, key) == 200
    pass_time(hub, 120)
    assert_problem(await ask(hub, key), 401, "not_authenticated")


async def test_a_key_that_nobody_used_before_its_end_is_refused_too(hub: PlayedHub) -> None:
    key = (await make_key(hub, expiresInDays=1))["key"]
    pass_time(hub, DAY + 60)
    assert await status(hub, key) == 401


async def test_a_token_does_not_outlive_its_key(hub: PlayedHub) -> None:
    made = await make_key(hub, expiresInDays=1)
    answer = await hub.post("/api/auth/token", {"apiKey": made["key"]})
    assert answer.json()["expiresAt"] == made["expiresAt"]


async def test_a_revoked_key_is_worth_nothing_from_that_moment(hub: PlayedHub) -> None:
    made = await make_key(hub)
    assert await status(hub, made["key"]) == 200
    await end_key(hub, made["id"])
    assert_problem(await ask(hub, made["key"]), 401, "not_authenticated")


async def test_the_tokens_of_a_revoked_key_end_with_it(hub: PlayedHub) -> None:
    made = await make_key(hub)
    token = await exchange(hub, made["key"])
    assert await status(hub, token) == 200
    await end_key(hub, made["id"])
    assert await status(hub, token) == 401


async def test_other_keys_stay_when_one_is_revoked(hub: PlayedHub) -> None:
    gone, stays = await make_key(hub), await make_key(hub)
    await end_key(hub, gone["id"])
    assert await status(hub, stays["key"]) == 200


async def test_revoking_twice_changes_nothing(hub: PlayedHub) -> None:
    made = await make_key(hub)
    await end_key(hub, made["id"])
    first = (await listed(hub))[made["id"]]["revokedAt"]
    await end_key(hub, made["id"])
    assert (await listed(hub))[made["id"]]["revokedAt"] == first


async def test_a_key_that_there_is_not_cannot_be_revoked(hub: PlayedHub) -> None:
    assert_problem(await hub.http.delete(f"{KEYS}/key_nobodys"), 404, "not_found")


async def test_the_bootstrap_key_is_not_revoked_here(hub: PlayedHub) -> None:
    """Its place is the hub's environment, which would give it again."""
    assert_problem(await hub.http.delete(f"{KEYS}/key_ofthetests"), 409, "bootstrap_key")


@pytest.mark.parametrize("wanted", ["tasks:write", "agents:read", "metrics:read", "admin"])
async def test_a_key_gives_no_scope_that_its_maker_lacks(hub: PlayedHub, wanted: str) -> None:
    maker = (await make_key(hub, "tasks:read"))["key"]
    wish = {"name": "more", "scopes": ["tasks:read", wanted]}
    for credential in (maker, await exchange(hub, maker)):
        answer = await hub.post(KEYS, wish, **bearer(credential))
        assert_problem(answer, 403, "forbidden_scope")
        assert wanted in answer.json()["detail"]


async def test_a_key_may_make_one_with_its_own_scopes(hub: PlayedHub) -> None:
    maker = (await make_key(hub, "tasks:read", "tasks:write"))["key"]
    assert (await make_key(hub, "tasks:read", by=maker))["scopes"] == ["tasks:read"]


async def test_a_key_ends_with_a_maker_that_is_no_admin(hub: PlayedHub) -> None:
    maker = await make_key(hub)
    child = await make_key(hub, by=maker["key"])
    grandchild = await make_key(hub, by=child["key"])
    token = await exchange(hub, grandchild["key"])
    await end_key(hub, maker["id"])
    assert [await status(hub, each) for each in (child["key"], grandchild["key"], token)] == [401, 401, 401]


async def test_a_key_outlives_an_admin_who_made_it(hub: PlayedHub) -> None:
    maker = await make_key(hub, "admin")
    child = await make_key(hub, by=maker["key"])
    await end_key(hub, maker["id"])
    assert await status(hub, child["key"]) == 200


@pytest.mark.parametrize("wish", [{}, {"expiresInDays": 30}])
async def test_a_key_does_not_outlive_a_maker_that_is_no_admin(hub: PlayedHub, wish: dict[str, int]) -> None:
    maker = await make_key(hub, expiresInDays=3)
    assert (await make_key(hub, by=maker["key"], **wish))["expiresAt"] == maker["expiresAt"]


async def test_a_key_may_end_before_its_maker(hub: PlayedHub) -> None:
    maker = await make_key(hub, expiresInDays=3)
    child = await make_key(hub, by=maker["key"], expiresInDays=1)
    assert child["expiresAt"] < maker["expiresAt"]


async def test_an_admin_sees_every_key(hub: PlayedHub) -> None:
    maker = await make_key(hub)
    child = await make_key(hub, by=maker["key"])
    assert {"key_ofthetests", maker["id"], child["id"]} <= set(await listed(hub))


async def test_others_see_their_own_key_and_those_that_end_with_it(hub: PlayedHub) -> None:
    maker, stranger = await make_key(hub), await make_key(hub)
    child = await make_key(hub, by=maker["key"])
    assert set(await listed(hub, maker["key"])) == {maker["id"], child["id"]}
    assert set(await listed(hub, child["key"])) == {child["id"]}
    assert set(await listed(hub, stranger["key"])) == {stranger["id"]}


async def test_nobody_revokes_what_he_does_not_see(hub: PlayedHub) -> None:
    mine, other = await make_key(hub), await make_key(hub)
    answer = await hub.http.delete(f"{KEYS}/{other['id']}", headers=bearer(mine["key"]))
    assert_problem(answer, 404, "not_found")
    assert await status(hub, other["key"]) == 200


async def test_a_key_may_revoke_itself(hub: PlayedHub) -> None:
    mine = await make_key(hub)
    assert (await hub.http.delete(f"{KEYS}/{mine['id']}", headers=bearer(mine["key"]))).status_code == 204
    assert await status(hub, mine["key"]) == 401


async def test_the_list_says_all_but_the_secret(hub: PlayedHub) -> None:
    made = await make_key(hub, "tasks:read", name="CI", expiresInDays=9)
    shown = (await listed(hub))[made["id"]]
    assert shown.pop("createdAt").endswith("Z")
    assert shown == {
        "id": made["id"], "prefix": made["key"].rsplit("_", 1)[0] + "_…", "name": "CI", "scopes": ["tasks:read"],
        "createdBy": "key_ofthetests", "expiresAt": made["expiresAt"], "revokedAt": None,
    }  # fmt: skip


async def test_the_same_request_again_does_not_show_the_key_again(hub: PlayedHub) -> None:
    wish = {"name": "made once", "scopes": ["tasks:read"]}
    first = await hub.post(KEYS, wish, **{"Idempotency-Key": "again"})
    second = await hub.post(KEYS, wish, **{"Idempotency-Key": "again"})
    assert_problem(second, 409, "already_made")
    assert first.json()["key"] not in second.text
    assert await called(hub, "made once") == 1


async def test_the_same_request_at_the_same_time_makes_one_key(hub: PlayedHub) -> None:
    wish = {"name": "at once", "scopes": ["tasks:read"]}
    asked = [hub.post(KEYS, wish, **{"Idempotency-Key": "at-once"}) for _ in range(5)]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert await called(hub, "at once") == 1


async def test_the_same_idempotency_key_for_another_key_is_a_conflict(hub: PlayedHub) -> None:
    again = {"Idempotency-Key": "another"}
    await hub.post(KEYS, {"name": "one", "scopes": ["tasks:read"]}, **again)
    answer = await hub.post(KEYS, {"name": "two", "scopes": ["tasks:read"]}, **again)
    assert_problem(answer, 409, "idempotency_conflict")


async def test_two_callers_may_choose_the_same_idempotency_key(hub: PlayedHub) -> None:
    wish, again = {"name": "one", "scopes": ["tasks:read"]}, {"Idempotency-Key": "again"}
    makers = [await make_key(hub), await make_key(hub)]
    answers = [await hub.post(KEYS, wish, **again, **bearer(maker["key"])) for maker in makers]
    assert [answer.status_code for answer in answers] == [201, 201]
