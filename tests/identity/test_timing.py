"""What checking a credential costs, which tells nobody anything: counted in checks of a hash, not in time."""

from collections import Counter

import bcrypt
import pytest

from hub.played import PlayedHub
from hubs import ADMIN_KEY
from identity.asking import TOKEN, ask, bearer, end_key, exchange, make_key, status
from identity.credentials import expired_key
from swarm_hub.identity import keys

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(name="hub")
def _hub(rested: PlayedHub) -> PlayedHub:
    return rested


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How many hashes were checked, by the rounds that each of them took."""
    counted: Counter[int] = Counter()

    def count(key: str, hash_: bytes) -> bool:
        counted[int(hash_.split(b"$")[2])] += 1
        return bcrypt.checkpw(key.encode(), hash_)

    monkeypatch.setattr(keys, "matches", count)
    return counted


def with_secret(key: str, secret: str) -> str:
    return f"{key.rsplit('_', 1)[0]}_{secret}"


async def test_a_wrong_key_costs_the_same_whether_its_id_is_known_or_not(hub: PlayedHub, checked: Counter[int]) -> None:
    made, old = await make_key(hub), await expired_key(hub)
    ended = await make_key(hub)
    await end_key(hub, ended["id"])
    ids = [f"sk_swarm_nobodys_{'x' * 43}", made["key"], ended["key"], old, ADMIN_KEY]
    for key in ids:
        checked.clear()
        answer = await ask(hub, with_secret(key, "w" * 43))
        assert (answer.status_code, answer.json()["detail"]) == (401, "the API key is not valid")
        assert checked == {keys.COST: 1}


async def test_the_exchange_takes_the_same_path(hub: PlayedHub, checked: Counter[int]) -> None:
    made = await make_key(hub)
    answers = []
    for key in (made["key"], f"sk_swarm_nobodys_{'x' * 43}"):
        checked.clear()
        answers.append(await hub.post(TOKEN, {"apiKey": with_secret(key, "w" * 43)}))
        assert checked == {keys.COST: 1}
    assert answers[0].json() == answers[1].json()


async def test_what_is_no_key_is_refused_before_any_hash(hub: PlayedHub, checked: Counter[int]) -> None:
    for text in ("sk_swarm_", "sk_swarm_short_x", f"sk_swarm_nobodys_{'x' * 44}", "x" * 5_000):
        await hub.post(TOKEN, {"apiKey": text})
        await hub.get("/api/tasks", **bearer(text))
    assert not checked


async def test_a_key_is_hashed_once(hub: PlayedHub, checked: Counter[int]) -> None:
    key = (await make_key(hub))["key"]
    assert {await status(hub, key) for _ in range(20)} == {200}
    await exchange(hub, key)
    assert checked == {keys.COST: 1}


async def test_a_key_that_has_ended_is_hashed_once_too(hub: PlayedHub, checked: Counter[int]) -> None:
    """It is right, so nothing limits it: whoever had one could keep the hub busy for ever."""
    made = await make_key(hub)
    await end_key(hub, made["id"])
    assert {await status(hub, made["key"]) for _ in range(20)} == {401}
    assert checked == {keys.COST: 1}


async def test_a_key_that_was_verified_is_refused_with_another_secret(hub: PlayedHub, checked: Counter[int]) -> None:
    key = (await make_key(hub))["key"]
    assert await status(hub, key) == 200
    assert await status(hub, with_secret(key, "w" * 43)) == 401
    assert checked == {keys.COST: 2}


async def test_a_token_costs_no_hash(hub: PlayedHub, checked: Counter[int]) -> None:
    token = await exchange(hub, ADMIN_KEY)
    assert await status(hub, token) == 200
    assert not checked
