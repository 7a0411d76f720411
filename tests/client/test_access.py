"""Which credential goes to which hub."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from client.tokens import WEEK, token
from swarm_api.access import access, may_be_insecure
from swarm_api.config import BadConfig
from swarm_api.config_file import change_config
from swarm_api.credentials import Credentials
from swarm_api.errors import NotAuthenticated

HUB = "http://127.0.0.1:4000"
KEY = "sk_swarm_ofthetests_" + "k" * 40
OTHER_KEY = "sk_swarm_another_" + "k" * 40
OF_THE_RUN = "the.token.of-this-run"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "data").mkdir(mode=0o700)
    return {"HOME": str(tmp_path), "SWARM_DATA_DIR": str(tmp_path / "data")}


def leave_note(environ: dict[str, str], mode: int = 0o600, **changes: Any) -> Path:
    path = Path(environ["SWARM_DATA_DIR"]) / "hub.json"
    path.unlink(missing_ok=True)
    path.touch(mode)
    path.chmod(mode)
    path.write_text(
        json.dumps({"pid": 1, "startTime": 1.0, "url": HUB, "version": "1", "token": OF_THE_RUN, **changes})
    )
    return path


def configure(environ: dict[str, str], url: str) -> None:
    change_config(Path(environ["HOME"]) / ".config/claude-swarm/config.json", {"orchestratorUrl": url})


def put(environ: dict[str, str], name: str, value: str) -> None:
    Credentials(environ, print).store(name, value)


def sent(environ: dict[str, str], url: str = HUB) -> str | None:
    return access(url, environ).token()


def test_a_key_in_the_environment_goes_before_all(environ: dict[str, str]) -> None:
    leave_note(environ)
    assert sent({**environ, "SWARM_API_KEY": KEY, "SWARM_JWT": token(WEEK)}) == KEY


def test_a_token_in_the_environment_goes_before_what_the_machine_has(environ: dict[str, str]) -> None:
    leave_note(environ)
    mine = token(WEEK)
    assert sent({**environ, "SWARM_JWT": mine}) == mine


def test_an_empty_variable_is_none(environ: dict[str, str]) -> None:
    leave_note(environ)
    assert sent({**environ, "SWARM_API_KEY": "", "SWARM_JWT": " "}) == OF_THE_RUN


@pytest.mark.parametrize("variable", ["SWARM_API_KEY", "SWARM_JWT"])
@pytest.mark.parametrize("value", ["sk-ant-api03-" + "x" * 40, "a b", f"{KEY}\nX-Other: 1", "é"])
def test_what_is_no_credential_of_a_hub_is_not_sent_and_not_shown(
    environ: dict[str, str], variable: str, value: str
) -> None:
    with pytest.raises(NotAuthenticated, match=variable) as refused:
        access(HUB, {**environ, variable: value})
    assert value not in str(refused.value)


def test_the_token_of_a_running_hub_goes_to_that_hub(environ: dict[str, str]) -> None:
    leave_note(environ)
    assert sent(environ) == sent(environ, f"{HUB}/") == OF_THE_RUN


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:4001", "http://localhost:4000", "https://127.0.0.1:4000", "https://hub.example"]
)
def test_it_goes_to_no_other(environ: dict[str, str], url: str) -> None:
    leave_note(environ)
    assert sent(environ, url) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_note_that_others_can_open_is_not_believed(environ: dict[str, str], mode: int) -> None:
    leave_note(environ, mode)
    assert sent(environ) is None


def test_a_note_behind_a_link_is_not_believed(environ: dict[str, str], tmp_path: Path) -> None:
    note = leave_note(environ)
    note.rename(tmp_path / "elsewhere")
    note.symlink_to(tmp_path / "elsewhere")
    assert sent(environ) is None


def test_a_note_that_is_no_file_holds_nobody_up(environ: dict[str, str]) -> None:
    os.mkfifo(Path(environ["SWARM_DATA_DIR"]) / "hub.json", 0o600)
    assert sent(environ) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_note_of_somebody_else_is_not_believed(environ: dict[str, str]) -> None:
    os.chown(leave_note(environ), 1, 1)
    assert sent(environ) is None


@pytest.mark.parametrize("changes", [{"token": None}, {"token": 7}, {"url": None}, {"url": "http://[::1"}])
def test_a_note_without_a_token_is_none(environ: dict[str, str], changes: dict[str, Any]) -> None:
    leave_note(environ, **changes)
    assert sent(environ) is None


def test_a_hub_that_was_restarted_has_left_another_token(environ: dict[str, str]) -> None:
    leave_note(environ)
    source = access(HUB, environ)
    assert source.token() == OF_THE_RUN
    leave_note(environ, token="another.one.now")
    assert source.token() == "another.one.now"


def test_a_token_that_was_refused_is_looked_for_anew(environ: dict[str, str]) -> None:
    leave_note(environ)
    source = access(HUB, environ)
    assert source.token() == OF_THE_RUN
    assert source.renewed(OF_THE_RUN) is None
    leave_note(environ, token="another.one.now")
    assert source.renewed(OF_THE_RUN) == "another.one.now"


def test_a_hub_that_has_gone_gets_no_token(environ: dict[str, str]) -> None:
    note = leave_note(environ)
    source = access(HUB, environ)
    assert source.token() == OF_THE_RUN
    note.unlink()
    assert source.token() is None


def test_what_is_stored_goes_to_the_hub_of_the_config(environ: dict[str, str]) -> None:
    mine = token(WEEK)
    configure(environ, "https://hub.example/swarm")
    put(environ, "orchestrator-jwt", mine)
    assert sent(environ, "https://hub.example/swarm") == mine


@pytest.mark.parametrize(
    "url", ["http://hub.example", "https://hub.example:8443", "https://evil.example", "http://127.0.0.1:3000"]
)
def test_what_is_stored_goes_to_no_other_hub(environ: dict[str, str], url: str) -> None:
    configure(environ, "https://hub.example")
    put(environ, "orchestrator-jwt", token(WEEK))
    put(environ, "swarm-api-key", KEY)
    assert sent(environ, url) is None


def test_without_a_configured_hub_what_is_stored_goes_to_the_one_that_runs_here(environ: dict[str, str]) -> None:
    leave_note(environ, token=None)
    put(environ, "swarm-api-key", KEY)
    assert sent(environ) == KEY
    assert sent(environ, "http://127.0.0.1:4001") is None


def test_without_any_hub_nothing_is_sent_to_whoever_listens_at_its_usual_port(environ: dict[str, str]) -> None:
    put(environ, "swarm-api-key", KEY)
    assert sent(environ, "http://127.0.0.1:3000") is None


def test_a_stored_token_goes_before_a_stored_key(environ: dict[str, str]) -> None:
    mine = token(WEEK)
    configure(environ, HUB)
    put(environ, "swarm-api-key", KEY)
    put(environ, "orchestrator-jwt", mine)
    assert sent(environ) == mine


def test_the_stored_key_serves_when_the_token_has_run_out(environ: dict[str, str]) -> None:
    configure(environ, HUB)
    put(environ, "orchestrator-jwt", token(-1, age=WEEK))
    put(environ, "swarm-api-key", KEY)
    assert sent(environ) == KEY


def test_a_stored_token_that_has_run_out_is_told(environ: dict[str, str]) -> None:
    configure(environ, HUB)
    put(environ, "orchestrator-jwt", token(-1, age=WEEK))
    with pytest.raises(NotAuthenticated, match="expired"):
        sent(environ)


def test_a_stored_token_that_is_refused_gives_way_to_a_later_login_then_to_the_key(environ: dict[str, str]) -> None:
    first, second = token(WEEK), token(WEEK)
    configure(environ, HUB)
    put(environ, "orchestrator-jwt", first)
    put(environ, "swarm-api-key", KEY)
    source = access(HUB, environ)
    assert source.token() == first
    put(environ, "orchestrator-jwt", second)
    assert source.renewed(first) == second
    assert source.renewed(second) == KEY
    assert source.renewed(KEY) is None


def test_a_login_at_another_hub_leaves_nothing_for_this_one(environ: dict[str, str]) -> None:
    """Also for a client that has run since before."""
    configure(environ, HUB)
    put(environ, "orchestrator-jwt", token(WEEK))
    source = access(HUB, environ)
    refused = source.token()
    configure(environ, "https://hub.example")
    put(environ, "orchestrator-jwt", token(WEEK))
    put(environ, "swarm-api-key", OTHER_KEY)
    assert source.renewed(refused) is None


def test_a_store_that_cannot_be_trusted_is_told(environ: dict[str, str]) -> None:
    configure(environ, HUB)
    put(environ, "swarm-api-key", KEY)
    sealed = Path(environ["HOME"]) / ".config/claude-swarm/credentials.enc"
    sealed.chmod(0o644)
    with pytest.raises(NotAuthenticated, match="open to others"):
        sent(environ)


@pytest.mark.parametrize(("value", "may"), [("1", True), ("true", True), ("0", False), ("", False), ("False", False)])
def test_a_variable_lets_credentials_travel_in_the_open(value: str, may: bool) -> None:
    assert may_be_insecure({"SWARM_INSECURE": value}) is may


def test_a_variable_that_says_neither_is_told() -> None:
    with pytest.raises(BadConfig, match="SWARM_INSECURE is 'maybe'"):
        may_be_insecure({"SWARM_INSECURE": "maybe"})
