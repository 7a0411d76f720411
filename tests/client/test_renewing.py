"""A token is renewed within an hour of its end, once, however many ask; and nothing is lost when that fails."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from client.tokens import ALMOST_OVER, WEEK, token
from swarm_api.access import InMemory
from swarm_api.config_file import change_config
from swarm_api.credentials import Credentials
from swarm_api.errors import NotAuthenticated
from swarm_api.renewing import MARGIN, Renewing, claims_of
from swarm_api.stored import TOKEN, Stored, alone

HUB = "http://127.0.0.1:4000"
LIMIT = 20.0  # seconds


class Desk:
    """Stands for the hub: gives out new tokens, and keeps what it was shown."""

    def __init__(self, give: Callable[[], str | None] = lambda: token(WEEK)) -> None:
        self.shown: list[str] = []
        self._give = give

    def __call__(self, old: str) -> str | None:
        self.shown.append(old)
        return self._give()


@pytest.fixture
def stored(tmp_path: Path) -> dict[str, str]:
    """An environment whose config names the hub, and that has a store."""
    change_config(tmp_path / ".config/claude-swarm/config.json", {"orchestratorUrl": HUB})
    return {"HOME": str(tmp_path), "SWARM_DATA_DIR": str(tmp_path / "data")}


def put(environ: dict[str, str], text: str) -> None:
    Credentials(environ, print).store(TOKEN, text)


def found(environ: dict[str, str]) -> str | None:
    entry = Credentials(environ, print).find(TOKEN)
    return entry.value if entry else None


def test_a_token_with_time_left_is_sent_as_it_is() -> None:
    mine, desk = token(MARGIN + 60, age=WEEK), Desk()
    assert Renewing(InMemory(mine), desk).token() == mine
    assert desk.shown == []


def test_a_token_within_an_hour_of_its_end_is_renewed() -> None:
    mine, desk = token(MARGIN - 60, age=WEEK), Desk()
    source = Renewing(InMemory(mine), desk)
    fresh = source.token()
    assert fresh not in (mine, None)
    assert source.token() == fresh
    assert desk.shown == [mine]


@pytest.mark.parametrize(("age", "renewals"), [(20.0, 0), (40.0, 1)])
def test_a_token_that_lives_for_a_minute_is_renewed_after_half_of_it(age: float, renewals: int) -> None:
    """Else every command of somebody whose hub gives short ones would renew it."""
    desk = Desk()
    Renewing(InMemory(token(60 - age, age)), desk).token()
    assert len(desk.shown) == renewals


def test_a_renewal_that_fails_is_no_error_and_not_tried_again_at_once() -> None:
    mine, desk = token(ALMOST_OVER, age=WEEK), Desk(lambda: None)
    now = time.time()
    source = Renewing(InMemory(mine), desk, lambda: now)
    assert [source.token() for _ in range(3)] == [mine] * 3
    assert desk.shown == [mine]
    now += ALMOST_OVER / 3
    assert source.token() == mine
    assert len(desk.shown) == 2


def test_a_token_that_cannot_live_longer_is_not_renewed_again_and_again() -> None:
    """It ends with its key, however often it is renewed."""
    desk = Desk(lambda: token(ALMOST_OVER, age=WEEK))
    source = Renewing(InMemory(token(ALMOST_OVER, age=WEEK)), desk)
    assert source.token() == source.token()
    assert len(desk.shown) == 1


def test_a_token_that_has_run_out_is_not_authenticated() -> None:
    desk = Desk()
    with pytest.raises(NotAuthenticated, match="expired"):
        Renewing(InMemory(token(-1, age=WEEK)), desk).token()
    assert desk.shown == []


def test_what_says_no_end_is_sent_as_it_is() -> None:
    desk = Desk()
    assert Renewing(InMemory("a.b.c"), desk).token() == "a.b.c"
    assert desk.shown == []


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "a.W10.c", "a.bnVsbA.c", "a.eyJleHAiOiJ4In0.c", "a.é.c"])
def test_what_is_no_token_says_nothing_of_itself(text: str) -> None:
    assert claims_of(text) is None


def test_a_token_says_whose_it_is() -> None:
    claims = claims_of(token(WEEK, scope=["admin"], device="Ada's télephone"))
    assert claims is not None
    assert (claims.sub, claims.scope, claims.device) == ("key_ofthetests", ("admin",), "Ada's télephone")


def test_many_threads_renew_once() -> None:
    start = threading.Barrier(16)
    desk = Desk()
    source = Renewing(InMemory(token(ALMOST_OVER, age=WEEK)), desk)

    def ask() -> str | None:
        start.wait(LIMIT)
        return source.token()

    with ThreadPoolExecutor(16) as threads:
        answers = [asked.result(LIMIT) for asked in [threads.submit(ask) for _ in range(16)]]
    assert len(set(answers)) == len(desk.shown) == 1


def test_threads_that_meet_the_same_refusal_get_the_same_other_token(stored: dict[str, str]) -> None:
    first, second = token(WEEK), token(WEEK)
    put(stored, first)
    source = Renewing(Stored(HUB, stored), Desk())
    assert source.token() == first
    put(stored, second)
    assert [source.renewed(first) for _ in range(3)] == [second] * 3


def test_a_renewed_token_is_stored(stored: dict[str, str]) -> None:
    put(stored, token(ALMOST_OVER, age=WEEK))
    assert Renewing(Stored(HUB, stored), Desk()).token() == found(stored)


def test_a_token_that_another_process_has_renewed_is_taken_over(stored: dict[str, str]) -> None:
    mine, theirs, desk = token(ALMOST_OVER, age=WEEK), token(WEEK), Desk()
    put(stored, mine)
    shelf = Stored(HUB, stored)
    now = time.time() - MARGIN
    source = Renewing(shelf, desk, lambda: now)
    assert source.token() == mine
    put(stored, theirs)
    now += MARGIN
    assert source.token() == theirs
    assert desk.shown == []


def test_a_renewal_that_ends_after_a_login_at_another_hub_does_not_undo_it(
    stored: dict[str, str], tmp_path: Path
) -> None:
    theirs = token(WEEK)
    put(stored, token(ALMOST_OVER, age=WEEK))

    def give() -> str:
        change_config(tmp_path / ".config/claude-swarm/config.json", {"orchestratorUrl": "https://hub.example"})
        put(stored, theirs)
        return token(WEEK)

    assert Renewing(Stored(HUB, stored), Desk(give)).token() != theirs
    assert found(stored) == theirs


def test_a_token_that_cannot_be_stored_serves_the_process(stored: dict[str, str], tmp_path: Path) -> None:
    put(stored, token(ALMOST_OVER, age=WEEK))
    fresh = token(WEEK)

    def give() -> str:
        (tmp_path / ".config/claude-swarm").chmod(0o777)  # which no store accepts
        return fresh

    source = Renewing(Stored(HUB, stored), Desk(give))
    assert source.token() == source.token() == fresh


def test_nobody_renews_while_another_process_does(stored: dict[str, str]) -> None:
    """The other one holds the lock until it is told that somebody waits, and stores a token before it lets go."""
    put(stored, token(ALMOST_OVER, age=WEEK))
    theirs, desk = token(WEEK), Desk()
    script = (
        "import os, sys\nfrom swarm_api.credentials import Credentials\nfrom swarm_api.stored import TOKEN, alone\n"
        "with alone(dict(os.environ)):\n    print('held', flush=True)\n"
        "    Credentials(os.environ, print).store(TOKEN, sys.stdin.readline().strip())\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script], env=stored, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other, ThreadPoolExecutor(1) as threads:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        asked = threads.submit(Renewing(Stored(HUB, stored), desk).token)
        with pytest.raises(TimeoutError):
            asked.result(1.0)
        other.communicate(theirs + "\n")
        assert asked.result(LIMIT) == theirs
    assert desk.shown == []


def test_without_a_folder_for_the_lock_nobody_waits(tmp_path: Path) -> None:
    with alone({"HOME": str(tmp_path / "nowhere")}):
        assert not (tmp_path / "nowhere").exists()
