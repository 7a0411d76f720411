"""What is secret is shown once, and written down nowhere."""

import logging
from pathlib import Path

import pytest

from hub.played import PlayedHub
from hubs import ADMIN_KEY
from identity.asking import KEYS, ask, bearer, end_key, exchange, forget_limits, make_key, refresh
from swarm_hub.identity.keys import matches


def written_below(folder: Path, secret: str) -> list[str]:
    """Files that hold a secret."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


async def test_a_key_is_in_no_file_list_audit_or_log(
    hub: PlayedHub, tmp_path: Path, said: pytest.LogCaptureFixture
) -> None:
    made = await make_key(hub, "admin", name="in no file")
    secret = made["key"].rsplit("_", 1)[1]
    await exchange(hub, made["key"])
    answers = [await ask(hub, made["key"], path) for path in (KEYS, "/api/audit", "/api/tasks")]
    await end_key(hub, made["id"])
    await ask(hub, made["key"])
    assert written_below(tmp_path, "in no file")  # it looks where the rows are
    assert written_below(tmp_path, secret) == []
    assert [answer.text for answer in answers if secret in answer.text] == []
    assert secret not in said.text


async def test_the_bootstrap_key_is_in_no_file(hub: PlayedHub, tmp_path: Path) -> None:
    await make_key(hub)
    await exchange(hub, ADMIN_KEY)
    assert written_below(tmp_path, "kkkkkkkk") == []


async def test_a_token_is_in_no_file_and_no_log(hub: PlayedHub, tmp_path: Path, said: pytest.LogCaptureFixture) -> None:
    first = await exchange(hub, ADMIN_KEY, device="a phone")
    second = await refresh(hub, first)
    await ask(hub, second + "x")
    for token in (first, second):
        for part in token.split(".")[1:]:
            assert written_below(tmp_path, part) == []
            assert part not in said.text


async def test_what_is_kept_of_a_key_is_a_bcrypt_hash(hub: PlayedHub) -> None:
    made = await make_key(hub)
    kept = hub.parts.identity.book.keys[made["id"]].hash
    assert kept.startswith(b"$2b$10$")
    assert matches(made["key"], kept)


async def test_a_wrong_key_is_not_in_the_log(hub: PlayedHub, said: pytest.LogCaptureFixture) -> None:
    for key in (f"sk_swarm_whosever_{'q' * 43}", "sk_swarm_qqqqqqqqqqqqqqqq", "q" * 40):
        forget_limits(hub)
        await hub.get("/api/tasks", **bearer(key))
        await hub.post("/api/auth/token", {"apiKey": key})
    assert "refused" in said.text
    assert "qqqqqqqq" not in said.text


async def test_no_secret_shows_in_what_is_printed_of_a_model() -> None:
    from swarm_api.auth import KeyMade, TokenIn, TokenOut

    shown = [
        repr(TokenIn.model_validate({"apiKey": ADMIN_KEY})),
        repr(TokenOut.model_construct(token=ADMIN_KEY)),
        repr(KeyMade.model_construct(key=ADMIN_KEY)),
    ]
    assert not any("kkkkkkkk" in text for text in shown)
