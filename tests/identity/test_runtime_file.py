"""`hub.json`: the token of this machine's user, which no other run of the hub takes."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from hub.played import PlayedHub
from hubs import HubProcess
from identity.asking import bearer, end_token, pass_time, refresh, status
from identity.credentials import written
from swarm_hub import runtime_file
from swarm_hub.identity.grants import LOCAL_TTL
from swarm_hub.routes.table import ROUTES
from swarm_hub.store import schema
from waiting import until

Token = Callable[[], str]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_file, "LOOK", 0.01)


@asynccontextmanager
async def kept(hub: PlayedHub, path: Path) -> AsyncIterator[Token]:
    """While the file is kept: what reads its token."""
    async with runtime_file.runtime_file(path, hub.parts, hub.url):
        yield lambda: str(json.loads(path.read_text())["token"])


@pytest.fixture
async def token(hub: PlayedHub, tmp_path: Path) -> AsyncIterator[Token]:
    async with kept(hub, tmp_path / "hub.json") as token:
        yield token


async def test_it_opens_all_that_users_may(hub: PlayedHub, token: Token) -> None:
    assert await status(hub, token(), "/api/audit") == 200
    assert set(written(token())["scope"]) >= {route.permission for route in ROUTES} - {
        "open",
        "user",
        "worker",
        "model",
        "git:read",
        "git:write",
    }


async def test_it_is_its_owners_alone(hub: PlayedHub, token: Token, tmp_path: Path) -> None:
    assert (tmp_path / "hub.json").stat().st_mode & 0o777 == 0o600


async def test_it_is_written_through_no_link(hub: PlayedHub, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (tmp_path / "hub.new").symlink_to(elsewhere)
    (tmp_path / "hub.json").symlink_to(elsewhere)
    async with kept(hub, tmp_path / "hub.json") as token:
        assert token()
        assert not (tmp_path / "hub.json").is_symlink()
    assert elsewhere.read_text() == "mine"


async def test_it_is_gone_with_the_hub(hub: PlayedHub, tmp_path: Path) -> None:
    async with kept(hub, tmp_path / "hub.json"):
        pass
    assert not (tmp_path / "hub.json").exists()


async def test_it_is_renewed_when_half_its_time_is_over(hub: PlayedHub, token: Token) -> None:
    first = token()
    pass_time(hub, LOCAL_TTL / 2)
    await until(lambda: token() != first)
    pass_time(hub, LOCAL_TTL * 3 / 4)
    assert await status(hub, token()) == 200


async def test_it_is_renewed_after_the_machine_slept(hub: PlayedHub, token: Token) -> None:
    """No timer of the hub's has run meanwhile, but the clock has."""
    first = token()
    pass_time(hub, 10 * LOCAL_TTL)
    await until(lambda: token() != first)
    assert await status(hub, token()) == 200
    assert await status(hub, first) == 401


async def test_it_is_renewed_after_the_clock_was_set_back(hub: PlayedHub, token: Token) -> None:
    first = token()
    pass_time(hub, -24 * LOCAL_TTL)
    await until(lambda: token() != first)
    assert await status(hub, token()) == 200


async def test_the_one_before_is_good_until_its_own_end(hub: PlayedHub, token: Token) -> None:
    """A client may have read it a moment ago."""
    first = token()
    pass_time(hub, LOCAL_TTL / 2)
    await until(lambda: token() != first)
    assert await status(hub, first) == 200


async def test_another_comes_when_it_is_revoked(hub: PlayedHub, token: Token) -> None:
    first = token()
    await end_token(hub, first)
    assert await status(hub, first) == 401
    await until(lambda: token() != first)
    assert await status(hub, token()) == 200


async def test_it_is_tried_again_when_it_could_not_be_written(
    hub: PlayedHub, token: Token, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(runtime_file, "AGAIN", 0.01)
    first = token()
    (tmp_path / "hub.new").mkdir()  # in the way of the draft
    pass_time(hub, LOCAL_TTL / 2)
    jtis = hub.parts.identity.book.of_this_run
    await until(lambda: len(jtis) > 2)
    assert token() == first
    (tmp_path / "hub.new").rmdir()
    await until(lambda: token() != first)


async def test_its_refresh_ends_with_this_run_too(hub: PlayedHub, token: Token) -> None:
    again = await refresh(hub, token())
    assert await status(hub, again) == 200
    hub.parts.identity.book.of_this_run.clear()
    assert await status(hub, again) == 401


async def test_no_row_is_kept_of_it(hub: PlayedHub, token: Token) -> None:
    await refresh(hub, token())
    await end_token(hub, token())
    rows = await hub.parts.store.read(lambda c: c.execute(schema.tokens.select()).all())
    assert rows == []


def test_a_restarted_hub_does_not_know_it(start_hub: Callable[..., HubProcess]) -> None:
    hub = start_hub()
    before = hub.token()
    hub.kill()
    hub.start()
    for token, expected in ((before, 401), (hub.token(), 200)):
        answer = httpx.get(f"{hub.url}/api/tasks", headers=bearer(token), trust_env=False)
        assert answer.status_code == expected


def test_a_real_hub_writes_it_for_its_owner_alone(start_hub: Callable[..., HubProcess]) -> None:
    hub = start_hub()
    path = hub.data_dir / "hub.json"
    note = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(note) == {"pid", "startTime", "url", "version", "token", "tokenExpiresAt"}
    assert note["token"] not in hub.log.read_text()
