"""Every command shows the hub a credential, keeps it to itself, and goes on when it changes."""

import json
import select
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest

from cli.program import LIMIT, PROGRAM, Swarm
from cli.test_errors import READING, STEERING
from hubs import ADMIN_KEY, HubProcess
from swarm_api.config_file import change_config
from swarm_api.credentials import Credentials
from swarm_api.ids import API_KEY
from swarm_api.stored import TOKEN

SECRET = "of-the-tests-" + "s" * 32
HEAVY = ("typer", "httpx", "pydantic", "rich", "asyncio", "keyring", "cryptography", "swarm_api.credentials")
OTHERS = [["keys", "list"], ["keys", "create", "x"], ["keys", "revoke", "x"], ["provider"]]


def signed(lives: float, age: float) -> str:
    """A token of the tests' admin, made `age` seconds ago and good for `lives` more."""
    key = API_KEY.fullmatch(ADMIN_KEY)
    assert key is not None
    now = time.time()
    claims = {"sub": f"key_{key[1]}", "scope": ["admin"], "jti": "a", "root": "a", "iat": int(now - age)}
    return jwt.encode({**claims, "exp": int(now + lives)}, SECRET, "HS256")


@pytest.mark.parametrize("arguments", READING + STEERING + OTHERS, ids=" ".join)
def test_no_command_sends_a_key_in_the_open(lonely: Swarm, arguments: list[str]) -> None:
    run = lonely(*arguments, SWARM_URL="http://hub.invalid", SWARM_API_KEY=ADMIN_KEY)
    assert run.returncode == 2
    assert run.stderr == (
        "error: hub.invalid is asked over plain http: others on the way could read the credential\n"
        " hint: --url https://…, or --insecure (SWARM_INSECURE=1) where the network is trusted\n"
    )


@pytest.mark.parametrize("arguments", READING + STEERING + OTHERS, ids=" ".join)
def test_every_command_does_if_it_is_told_to(lonely: Swarm, arguments: list[str]) -> None:
    run = lonely(*arguments, "--insecure", SWARM_URL="http://hub.invalid", SWARM_API_KEY=ADMIN_KEY)
    assert run.returncode == 5
    assert "no hub answers at http://hub.invalid" in run.stderr


@pytest.mark.parametrize("said", [{"SWARM_INSECURE": "1"}, {"SWARM_INSECURE": "0"}])
def test_a_variable_tells_it_too(lonely: Swarm, said: dict[str, str]) -> None:
    run = lonely("status", SWARM_URL="http://hub.invalid", SWARM_API_KEY=ADMIN_KEY, **said)
    assert run.returncode == (5 if said["SWARM_INSECURE"] == "1" else 2)


@pytest.mark.parametrize("arguments", READING + STEERING, ids=" ".join)
def test_without_a_credential(lonely: Swarm, shared_hub: HubProcess, arguments: list[str]) -> None:
    run = lonely(*arguments, SWARM_URL=shared_hub.url)
    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr.splitlines()[1:] == [" hint: swarm login"]


def test_the_hub_of_this_machine_lets_its_user_in(tmp_path: Path, hub: HubProcess) -> None:
    run = Swarm(tmp_path)("status", "--json")
    assert (run.returncode, json.loads(run.stdout)["tasks"]) == (0, [])


def test_a_note_that_others_could_have_read_lets_nobody_in(tmp_path: Path, hub: HubProcess) -> None:
    (hub.data_dir / "hub.json").chmod(0o644)
    run = Swarm(tmp_path)("status", SWARM_URL=hub.url)
    assert (run.returncode, run.stderr.splitlines()[1]) == (3, " hint: swarm login")


def test_watch_goes_on_over_a_restart_with_the_new_token(tmp_path: Path, hub: HubProcess) -> None:
    here = Swarm(tmp_path)
    watching = here.start("watch", "--json")
    assert watching.stdout is not None
    try:
        # What is handed out before it listens is no event to it.
        while not select.select([watching.stdout], [], [], 0)[0]:
            here("submit", "-p", "x", "--hold")
        old = hub.token()
        hub.stop()
        hub.start()
        assert hub.token() != old
        wanted = here("submit", "-p", "after", "--hold").stdout.strip()
        assert any(wanted in line for line in watching.stdout)
        assert watching.poll() is None
    finally:
        watching.kill()
        watching.communicate(timeout=LIMIT)


def logged_in(tmp_path: Path, hub: HubProcess, token: str) -> Swarm:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    swarm = Swarm(folder)
    change_config(folder / "home/.config/claude-swarm/config.json", {"orchestratorUrl": hub.url})
    Credentials(swarm.environ, print).store(TOKEN, token)
    return swarm


async def test_commands_that_start_together_renew_a_token_once(
    tmp_path: Path, start_hub: Callable[..., HubProcess]
) -> None:
    hub = start_hub(JWT_SECRET=SECRET)
    swarm = logged_in(tmp_path, hub, old := signed(lives=1_800, age=600_000))
    with ThreadPoolExecutor(6) as threads:
        runs = [run.result() for run in [threads.submit(swarm, "status") for _ in range(6)]]
    assert [(run.returncode, run.stderr) for run in runs] == [(0, "")] * 6
    found = Credentials(swarm.environ, print).find(TOKEN)
    assert found is not None
    assert found.value != old
    async with hub.client() as client:
        actions = [entry.action for entry in (await client.audit()).entries]
    assert actions.count("token.refresh") == 1


def test_a_token_that_has_run_out_is_told_with_what_mends_it(
    tmp_path: Path, start_hub: Callable[..., HubProcess]
) -> None:
    hub = start_hub(JWT_SECRET=SECRET)
    run = logged_in(tmp_path, hub, signed(lives=-60, age=600_000))("status")
    assert (run.returncode, run.stderr) == (3, "error: the token has expired\n hint: swarm login\n")


def test_what_holds_no_credential_of_a_hub_is_told_and_not_shown(lonely: Swarm) -> None:
    secret = "sk-ant-api03-" + "k" * 40
    run = lonely("status", SWARM_API_KEY=secret)
    assert run.returncode == 3
    assert run.stderr.startswith("error: SWARM_API_KEY is set to something else; allowed: sk_swarm_<id>_<secret>\n")
    assert secret not in run.stderr


@pytest.mark.parametrize("credential", ["key", "token", "note"])
def test_status_imports_nothing_heavy_for_its_credential(tmp_path: Path, hub: HubProcess, credential: str) -> None:
    given = {"key": {"SWARM_API_KEY": ADMIN_KEY}, "token": {"SWARM_JWT": hub.token()}, "note": {}}[credential]
    run = Swarm(tmp_path)("status", PYTHONPROFILEIMPORTTIME="1", **given)
    assert run.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines() if line.startswith("import time:")}
    assert "swarm_api.access" in imported
    assert imported.isdisjoint(HEAVY)


def test_completion_shows_the_hub_a_credential(tmp_path: Path, hub: HubProcess) -> None:
    here = Swarm(tmp_path)
    task_id = here("submit", "-p", "x", "--hold").stdout.strip()
    environ = {**here.environ, "_SWARM_COMPLETE": "complete_bash", "COMP_WORDS": "swarm logs ", "COMP_CWORD": "2"}
    run = subprocess.run([PROGRAM], env=environ, capture_output=True, text=True, check=False)
    assert task_id.removeprefix("tsk_")[:9] in run.stdout
