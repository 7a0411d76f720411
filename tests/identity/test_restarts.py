"""What outlives the hub's process, and what does not."""

from pathlib import Path

import pytest

from hub.played import played_hub
from hub.starting import BUSY, CONFIG, assert_refused
from hubs import ADMIN_KEY, HubProcess
from identity.asking import KEYS, ask, end_key, end_token, exchange, make_key, status
from identity.credentials import OTHER_SECRET, SECRET, signed, written
from swarm_hub.identity.secret import load_secret

NEXT = "the key that comes after the first one"
NEXT_KEY = "sk_swarm_ofthetests_" + "n" * 43


async def test_keys_and_tokens_survive_a_restart(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        key = (await make_key(hub))["key"]
        tokens = await exchange(hub, key), await exchange(hub, ADMIN_KEY)
    async with played_hub(tmp_path) as hub:
        assert [await status(hub, each) for each in (key, *tokens)] == [200, 200, 200]


async def test_revocations_survive_a_restart(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        kept, gone = await make_key(hub), await make_key(hub)
        of_gone, ended = await exchange(hub, gone["key"]), await exchange(hub, kept["key"])
        await end_key(hub, gone["id"])
        await end_token(hub, ended)
    async with played_hub(tmp_path) as hub:
        assert [await status(hub, each) for each in (gone["key"], of_gone, ended)] == [401, 401, 401]


async def test_the_secret_that_signs_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    async with played_hub(tmp_path):
        path = tmp_path / "data" / "jwt.secret"
        first = path.read_bytes()
        assert (len(first), path.stat().st_mode & 0o777) == (32, 0o600)
    async with played_hub(tmp_path):
        assert path.read_bytes() == first


async def test_two_hubs_know_nothing_of_each_others_tokens(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with played_hub(tmp_path / "a") as one, played_hub(tmp_path / "b") as other:
        token = await exchange(one, ADMIN_KEY)
        assert [await status(one, token), await status(other, token)] == [200, 401]


async def test_a_secret_is_rotated_in_two_steps(tmp_path: Path) -> None:
    """The new one signs from the first step on; the old one is believed until the second."""
    async with played_hub(tmp_path, jwt_secret=(SECRET,)) as hub:
        old = await exchange(hub, ADMIN_KEY)
    async with played_hub(tmp_path, jwt_secret=(OTHER_SECRET, SECRET)) as hub:
        new = await exchange(hub, ADMIN_KEY)
        assert new == signed(written(new), OTHER_SECRET)
        assert [await status(hub, token) for token in (old, new)] == [200, 200]
    async with played_hub(tmp_path, jwt_secret=(OTHER_SECRET,)) as hub:
        assert [await status(hub, token) for token in (old, new)] == [401, 200]


async def test_a_setting_says_how_long_tokens_live(tmp_path: Path) -> None:
    async with played_hub(tmp_path, jwt_ttl_seconds=90) as hub:
        claims = written(await exchange(hub, ADMIN_KEY))
    assert claims["exp"] - claims["iat"] == 90


async def test_a_bootstrap_key_that_is_gone_takes_its_tokens_with_it(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        token = await exchange(hub, ADMIN_KEY)
    async with played_hub(tmp_path, bootstrap_key=f"sk_swarm_another_{'a' * 43}") as hub:
        assert [await status(hub, each) for each in (ADMIN_KEY, token)] == [401, 401]


async def test_a_bootstrap_key_with_a_new_secret_takes_the_tokens_of_the_old_one_with_it(tmp_path: Path) -> None:
    """It was changed because somebody else knows it, and its id is still the same."""
    async with played_hub(tmp_path) as hub:
        token = await exchange(hub, ADMIN_KEY)
    async with played_hub(tmp_path, bootstrap_key=NEXT_KEY) as hub:
        assert [await status(hub, each) for each in (ADMIN_KEY, NEXT_KEY, token)] == [401, 200, 401]


async def test_the_tokens_of_a_bootstrap_key_that_stays_stay(tmp_path: Path) -> None:
    async with played_hub(tmp_path, bootstrap_key=NEXT_KEY) as hub:
        token = await exchange(hub, NEXT_KEY)
    async with played_hub(tmp_path, bootstrap_key=NEXT_KEY) as hub:
        assert await status(hub, token) == 200


async def test_keys_that_the_bootstrap_key_made_outlive_it(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        made = await make_key(hub, "admin")
    async with played_hub(tmp_path, bootstrap_key=None) as hub:
        listed = (await ask(hub, made["key"], KEYS)).json()["keys"]
        assert [key["id"] for key in listed] == [made["id"]]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_secret_of_another_length_stops_the_start(tmp_path: Path, content: bytes) -> None:
    """With an empty one anybody could sign."""
    path = tmp_path / "worker.secret"
    path.write_bytes(content)
    with pytest.raises(OSError, match=r"worker\.secret"):
        load_secret(path)


def test_a_hub_whose_secret_is_empty_does_not_start(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir.mkdir(mode=0o700)
    (hub.data_dir / "jwt.secret").write_bytes(b"")
    assert_refused(hub.environment, BUSY, "jwt.secret", "0 bytes")


@pytest.mark.parametrize(
    "secret",
    [
        "ssh-ed25519 " + "A" * 60,
        "-----BEGIN PUBLIC KEY-----\n" + "A" * 60 + "\n-----END PUBLIC KEY-----",
        '{"kty": "' + "o" * 40 + '"}',
    ],
    ids=["ssh", "PEM", "JWK"],
)
def test_what_everybody_may_know_is_no_secret(tmp_path: Path, secret: str) -> None:
    hub = HubProcess(tmp_path, JWT_SECRET=secret)
    assert_refused(hub.environment, CONFIG, "JWT_SECRET", "a public key")
