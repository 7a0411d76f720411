"""`swarm login` and `logout`: a token for this machine, and its end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.dialogue import Dialogue
from cli.program import Swarm
from hubs import ADMIN_KEY, HubProcess
from swarm_api.credentials import Credentials
from swarm_api.stored import KEY, TOKEN

OTHER_KEY = "sk_swarm_another_" + "k" * 40


@pytest.fixture
def stranger(tmp_path: Path) -> Swarm:
    """`swarm` on another machine than the hub's, as far as anybody can tell."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return Swarm(folder)


def log_in(swarm: Swarm, hub: HubProcess, *flags: str, key: str = ADMIN_KEY) -> None:
    run = swarm("login", "--url", hub.url, "--key-stdin", *flags, stdin=key + "\n")
    assert run.returncode == 0, run.stderr


def stored(swarm: Swarm, name: str = TOKEN) -> str | None:
    found = Credentials(swarm.environ, print).find(name)
    return found.value if found else None


def config(swarm: Swarm) -> Any:
    path = swarm.folder / "home/.config/claude-swarm/config.json"
    return json.loads(path.read_text()) if path.exists() else {}


def test_a_login_is_all_that_other_commands_need(stranger: Swarm, hub: HubProcess) -> None:
    log_in(stranger, hub)
    assert config(stranger) == {"orchestratorUrl": hub.url}
    run = stranger("status", "--json")
    assert (run.returncode, json.loads(run.stdout)["tasks"]) == (0, [])


def test_it_says_who_may_what_until_when_where(stranger: Swarm, hub: HubProcess) -> None:
    run = stranger("login", "--url", hub.url, "--key-stdin", "--device", "build-7", stdin=ADMIN_KEY)
    assert f"logged in at {hub.url} as key_ofthetests on build-7" in run.stdout
    assert "may: tasks:read tasks:write agents:read metrics:read admin\n" in run.stdout
    assert " UTC; while it is used it renews itself" in run.stdout
    assert "orchestrator-jwt is in the encrypted file" in run.stdout


def test_neither_key_nor_token_is_shown(stranger: Swarm, hub: HubProcess) -> None:
    run = stranger("login", "--url", hub.url, "--key-stdin", stdin=ADMIN_KEY)
    for secret in (ADMIN_KEY, stored(stranger)):
        assert secret
        assert secret not in run.stdout + run.stderr


def test_the_key_is_kept_only_if_that_is_wanted(stranger: Swarm, hub: HubProcess) -> None:
    log_in(stranger, hub)
    assert stored(stranger, KEY) is None
    log_in(stranger, hub, "--store-key")
    assert stored(stranger, KEY) == ADMIN_KEY


def test_on_a_terminal_the_key_is_asked_for_and_does_not_show(stranger: Swarm, hub: HubProcess) -> None:
    with Dialogue(stranger, "login", "--url", hub.url) as dialogue:
        dialogue.answer("(not shown): ", ADMIN_KEY)
        code, said = dialogue.end()
    assert code == 0
    assert "logged in" in said
    assert ADMIN_KEY not in said


def test_ctrl_c_at_the_question_changes_nothing(stranger: Swarm, hub: HubProcess) -> None:
    with Dialogue(stranger, "login", "--url", hub.url) as dialogue:
        dialogue.read_until("(not shown): ")
        dialogue.press_ctrl_c()
        code, said = dialogue.end()
    assert code == 130
    assert "nothing was changed" in said
    assert config(stranger) == {}


def test_without_a_terminal_it_says_how_else(stranger: Swarm) -> None:
    run = stranger("login", stdin=ADMIN_KEY)
    assert run.returncode == 2
    assert "hint: swarm login --key-stdin" in run.stderr


def test_a_key_that_the_hub_does_not_know(stranger: Swarm, hub: HubProcess) -> None:
    run = stranger("login", "--url", hub.url, "--key-stdin", stdin=OTHER_KEY)
    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr.startswith(f"error: {hub.url}: the API key is not valid\n hint: ")
    assert (stored(stranger), config(stranger)) == (None, {})


@pytest.mark.parametrize(
    "key", ["sk-ant-api03-" + "k" * 40, "", "sk_swarm_short", f"{ADMIN_KEY}\n{ADMIN_KEY}", ADMIN_KEY * 1_000, "\0", "é"]
)
def test_what_is_no_key_of_a_hub_is_sent_to_none(stranger: Swarm, unused_tcp_port: int, key: str) -> None:
    run = stranger("login", "--url", f"http://127.0.0.1:{unused_tcp_port}", "--key-stdin", stdin=key)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("error: swarm-api-key: ")
    assert not key or key not in run.stderr


def test_bytes_that_are_no_text_are_told(stranger: Swarm) -> None:
    run = stranger("login", "--key-stdin", stdin=b"\xff\xfe")
    assert (run.returncode, run.stderr.splitlines()[0]) == (2, "error: stdin is no text")


def test_no_key_is_asked_for_that_would_travel_in_the_open(stranger: Swarm) -> None:
    run = stranger("login", "--url", "http://hub.example", "--key-stdin", stdin=ADMIN_KEY)
    assert run.returncode == 2
    assert "hub.example is asked over plain http" in run.stderr
    assert "--insecure" in run.stderr


def test_without_a_hub(stranger: Swarm, unused_tcp_port: int) -> None:
    run = stranger("login", "--url", f"http://127.0.0.1:{unused_tcp_port}", "--key-stdin", stdin=ADMIN_KEY)
    assert run.returncode == 5
    assert config(stranger) == {}


def test_who_tries_too_often_is_told_when_to_come_back(stranger: Swarm, hub: HubProcess) -> None:
    runs = [stranger("login", "--url", hub.url, "--key-stdin", stdin=OTHER_KEY) for _ in range(11)]
    assert [run.returncode for run in runs] == [3] * 10 + [1]
    assert " hint: again in " in runs[-1].stderr


async def test_a_token_that_cannot_be_kept_is_ended(stranger: Swarm, hub: HubProcess) -> None:
    folder = stranger.folder / "home/.config/claude-swarm"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "credentials.enc").mkdir()
    run = stranger("login", "--url", hub.url, "--key-stdin", stdin=ADMIN_KEY)
    assert run.returncode == 1
    assert "credentials.enc" in run.stderr
    assert config(stranger) == {}
    async with hub.client() as client:
        actions = [entry.action for entry in (await client.audit()).entries]
    assert actions[:2] == ["token.revoke", "token.create"]


def test_a_login_elsewhere_forgets_what_was_for_the_hub_before(
    stranger: Swarm, start_hub: Callable[..., HubProcess]
) -> None:
    first, second = start_hub(), start_hub(SWARM_BOOTSTRAP_KEY=OTHER_KEY)
    log_in(stranger, first, "--store-key")
    token = stored(stranger)
    run = stranger("login", "--url", second.url, "--key-stdin", stdin=OTHER_KEY)
    assert "warning: the swarm-api-key of another hub is no longer stored" in run.stderr
    assert config(stranger) == {"orchestratorUrl": second.url}
    assert stored(stranger) not in (None, token)
    assert stored(stranger, KEY) is None
    assert stranger("status").returncode == 0


def test_a_variable_that_wins_is_mentioned(stranger: Swarm, hub: HubProcess) -> None:
    run = stranger("login", "--url", hub.url, "--key-stdin", stdin=ADMIN_KEY, SWARM_API_KEY=OTHER_KEY)
    assert run.stderr == "warning: SWARM_API_KEY is set here, and wins\n"


def test_a_hub_on_this_machine_is_mentioned(tmp_path: Path, hub: HubProcess) -> None:
    here = Swarm(tmp_path)
    run = here("login", "--key-stdin", stdin=ADMIN_KEY)
    assert run.returncode == 0
    assert "commands here go on as its own user" in run.stderr
    assert config(here) == {}


def test_the_device_is_user_and_host_in_harmless_characters(stranger: Swarm, hub: HubProcess) -> None:
    run = stranger("login", "--url", hub.url, "--key-stdin", stdin=ADMIN_KEY, USER="ada\x1b[31m; rm -rf")
    assert " on ada-31m-rm--rf@" in run.stdout


def test_a_device_that_is_no_name_is_wrong_usage(stranger: Swarm, hub: HubProcess) -> None:
    run = stranger("login", "--url", hub.url, "--key-stdin", "--device", "a\tb", stdin=ADMIN_KEY)
    assert run.returncode == 2
    assert "device" in run.stderr


def opens(swarm: Swarm, hub: HubProcess, token: str) -> bool:
    """Whether the hub takes a token."""
    return swarm("status", SWARM_JWT=token, SWARM_URL=hub.url).returncode == 0


def test_a_logout_ends_the_token_there_and_here(stranger: Swarm, hub: HubProcess) -> None:
    log_in(stranger, hub)
    token = stored(stranger)
    assert token
    assert opens(stranger, hub, token)
    run = stranger("logout")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == f"logged out at {hub.url}\norchestrator-jwt is no longer in the encrypted file\n"
    assert not opens(stranger, hub, token)
    assert stored(stranger) is None
    assert stranger("status").returncode == 3


def test_a_logout_forgets_although_the_hub_is_away_and_says_how_long_the_token_lives(
    stranger: Swarm, hub: HubProcess
) -> None:
    log_in(stranger, hub)
    hub.stop()
    run = stranger("logout")
    assert run.returncode == 0
    assert f"warning: no hub answers at {hub.url}" in run.stderr
    assert "; the token stays good until 20" in run.stderr
    assert stored(stranger) is None


def test_a_logout_only_forgets_a_key(stranger: Swarm, hub: HubProcess) -> None:
    log_in(stranger, hub, "--store-key")
    assert "swarm-api-key is no longer in the encrypted file\n" in stranger("logout").stdout
    assert stored(stranger, KEY) is None
    log_in(stranger, hub)


def test_a_logout_of_nobody_is_no_failure(stranger: Swarm) -> None:
    run = stranger("logout")
    assert (run.returncode, run.stdout, run.stderr) == (0, "nothing is stored here\n", "")


def test_a_token_that_had_ended_is_forgotten_without_a_word(stranger: Swarm, hub: HubProcess) -> None:
    log_in(stranger, hub)
    token = stored(stranger)
    assert token
    stranger("logout")
    Credentials(stranger.environ, print).store(TOKEN, token)
    run = stranger("logout")
    assert (run.returncode, run.stderr) == (0, "")
    assert stored(stranger) is None


def test_what_a_variable_holds_stays_good_and_is_mentioned(stranger: Swarm) -> None:
    run = stranger("logout", SWARM_API_KEY=OTHER_KEY)
    assert run.stderr == "warning: SWARM_API_KEY is set here, and stays good\n"


def test_a_lost_device_is_logged_out_from_another(stranger: Swarm, hub: HubProcess, tmp_path: Path) -> None:
    (tmp_path / "phone").mkdir()
    phone = Swarm(tmp_path / "phone")
    log_in(phone, hub, "--device", "phone")
    log_in(stranger, hub, "--device", "laptop")
    assert stranger("logout", "--device", "phone").stdout == "every token on phone has ended\n"
    assert phone("status").returncode == 3
    assert stranger("status").returncode == 0


def test_this_device_is_logged_out_by_its_name_too(stranger: Swarm, hub: HubProcess) -> None:
    log_in(stranger, hub, "--device", "laptop")
    assert "that is this machine" in stranger("logout", "--device", "laptop").stdout
    assert stored(stranger) is None


def test_nobody_logs_a_device_out_without_a_login(stranger: Swarm) -> None:
    run = stranger("logout", "--device", "phone")
    assert (run.returncode, run.stderr.splitlines()[1]) == (3, " hint: swarm login")


def test_a_key_among_the_arguments_is_not_repeated(stranger: Swarm) -> None:
    run = stranger("login", ADMIN_KEY)
    assert run.returncode == 2
    assert ADMIN_KEY not in run.stderr
    assert "no argument is a safe place" in run.stderr
