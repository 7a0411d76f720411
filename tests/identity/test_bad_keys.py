"""What is wrong in a request about keys is named, and no secret in it is repeated."""

from typing import Any

import pytest

from hub.played import PlayedHub
from hub.problems import assert_problem
from hubs import ADMIN_KEY
from identity.asking import KEYS, forget_limits

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(name="hub")
def _hub(rested: PlayedHub) -> PlayedHub:
    return rested


BAD = {
    "no name": ({"scopes": ["tasks:read"]}, "name"),
    "an empty name": ({"name": "", "scopes": ["tasks:read"]}, "name"),
    "a name of two lines": ({"name": "a\nb", "scopes": ["tasks:read"]}, "name"),
    "a long name": ({"name": "x" * 101, "scopes": ["tasks:read"]}, "name"),
    "no scopes": ({"name": "x"}, "scopes"),
    "none of them": ({"name": "x", "scopes": []}, "scopes"),
    "a scope there is not": ({"name": "x", "scopes": ["tasks:read", "root"]}, "scopes.1"),
    "a scope twice": ({"name": "x", "scopes": ["tasks:read", "tasks:read"]}, "scopes"),
    "scopes in a text": ({"name": "x", "scopes": "tasks:read"}, "scopes"),
    "no days": ({"name": "x", "scopes": ["tasks:read"], "expiresInDays": 0}, "expiresInDays"),
    "days gone by": ({"name": "x", "scopes": ["tasks:read"], "expiresInDays": -1}, "expiresInDays"),
    "too many days": ({"name": "x", "scopes": ["tasks:read"], "expiresInDays": 10**30}, "expiresInDays"),
    "half a day": ({"name": "x", "scopes": ["tasks:read"], "expiresInDays": 0.5}, "expiresInDays"),
    "yes for days": ({"name": "x", "scopes": ["tasks:read"], "expiresInDays": True}, "expiresInDays"),
    "a key of one's own": ({"name": "x", "scopes": ["tasks:read"], "key": ADMIN_KEY}, "key"),
    "an id of one's own": ({"name": "x", "scopes": ["tasks:read"], "id": "key_mine"}, "id"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_wish_names_its_field(hub: PlayedHub, case: str) -> None:
    wish, field = BAD[case]
    assert_problem(await hub.post(KEYS, wish), 422, "invalid_input", field)
    assert set(hub.parts.identity.book.keys) == {"key_ofthetests"}


@pytest.mark.parametrize(
    "body",
    [
        {"apiKey": [ADMIN_KEY]}, {"apiKey": {"key": ADMIN_KEY}}, {"apiKey": ADMIN_KEY, "more": ADMIN_KEY},
        {"apikey": ADMIN_KEY}, {"apiKey": None, "key": ADMIN_KEY}, [ADMIN_KEY], ADMIN_KEY,
    ],
    ids=["in a list", "in an object", "twice", "misspelt", "elsewhere", "a list", "a text"],
)  # fmt: skip
async def test_a_refused_exchange_repeats_no_secret(hub: PlayedHub, body: Any) -> None:
    answer = await hub.post("/api/auth/token", body)
    assert_problem(answer, 422, "invalid_input")
    assert "kkkkkkkk" not in answer.text


async def test_a_number_for_a_key_is_not_repeated(hub: PlayedHub) -> None:
    """Half a secret, pasted without its quotes."""
    answer = await hub.post("/api/auth/token", {"apiKey": 8675309})
    assert_problem(answer, 422, "invalid_input", "apiKey")
    assert "8675309" not in answer.text


async def test_revoking_by_a_hostile_id_is_not_found(hub: PlayedHub) -> None:
    for id_ in ("%00", "..%2f..", "key_%F0%9F%94%91", "' OR 1=1 --", "x" * 5_000):
        forget_limits(hub)
        answer = await hub.http.delete(f"{KEYS}/{id_}")
        assert answer.status_code == 404
