"""`swarm doctor`: each thing this machine needs, and what mends what is wrong."""

import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from cli.program import Swarm
from cli.services import Reply, Service
from hubs import HubProcess
from swarm_api.auth import KeyIn
from swarm_cli.checks_hub import own_address

HEALTHY = Reply(200, {"status": "ok", "version": "1"})
KEY = "sk-ant-api03-" + "k" * 40


def verdicts(swarm: Swarm, **environ: str) -> dict[str, tuple[str, str, str]]:
    checks = json.loads(swarm("doctor", "--json", **environ).stdout)["checks"]
    return {check["name"]: (check["verdict"], check["found"], check["mend"]) for check in checks}


def test_a_machine_with_a_running_hub_is_well(tmp_path: Path, hub: HubProcess) -> None:
    run = Swarm(tmp_path)("doctor", ANTHROPIC_API_KEY="a-key")
    assert (run.returncode, run.stderr) == (0, "")
    assert f"ok at {hub.url}" in run.stdout
    assert "a-key" not in run.stdout


def test_it_fits_a_terminal(lonely: Swarm) -> None:
    lonely("setup", "--stdin", stdin=json.dumps({"anthropicApiKey": KEY}))
    long = lonely.folder / ("a folder with a long name " * 5).strip()
    _, seen = lonely.on_terminal("doctor", NO_COLOR="1", SWARM_URL="https://hub.invalid", LOCAL_SANDBOX="bubblewrap")
    _, tight = lonely.on_terminal("doctor", NO_COLOR="1", SWARM_DATA_DIR=str(long), PORT="0")
    lines = [line for line in (seen + tight).splitlines() if "/" not in line]  # a path is never broken
    assert max(map(len, lines)) <= 80


def test_a_hub_that_does_not_run_is_wrong_and_can_be_started(lonely: Swarm) -> None:
    assert lonely("doctor", PORT="0").returncode == 1
    assert verdicts(lonely, PORT="0")["hub"] == ("wrong", "does not run", "swarm orchestrator start --background")


def test_a_port_that_is_taken_is_wrong(lonely: Swarm) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert verdicts(lonely, PORT=str(port))["hub"][1].startswith(f"does not run, and port {port} cannot be had: ")


@pytest.mark.parametrize("script", ["echo git version 2.20.1", "exit 1"])
def test_a_git_that_is_too_old_or_broken_is_wrong(lonely: Swarm, script: str) -> None:
    git = lonely.folder / "git"
    git.write_text(f"#!/bin/sh\n{script}\n")
    git.chmod(0o755)
    assert verdicts(lonely, PATH=str(lonely.folder))["git"][0] == "wrong"


def test_no_git_is_wrong(lonely: Swarm) -> None:
    assert verdicts(lonely, PATH=str(lonely.folder))["git"][:2] == ("wrong", "not on the PATH")


def test_a_data_folder_that_cannot_be_written_is_wrong(lonely: Swarm) -> None:
    found = verdicts(lonely, SWARM_DATA_DIR="/proc/data")["data folder"]
    assert found[0] == "wrong"
    assert found[2] == "set SWARM_DATA_DIR"


def test_a_config_that_is_wrong_is_told(lonely: Swarm) -> None:
    config = lonely.folder / "home/.config/claude-swarm/config.json"
    config.parent.mkdir(parents=True)
    config.write_text("[]")
    assert verdicts(lonely)["config"][0] == "wrong"


def test_simulated_agents_need_no_key(lonely: Swarm) -> None:
    assert verdicts(lonely, SIMULATE_MODE="true")["key"] == ("ok", "simulated: no key needed", "")


def test_the_agents_of_a_running_hub_that_simulates_need_no_key(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path, SIMULATE_MODE="true")
    hub.start()
    assert verdicts(Swarm(tmp_path))["key"][0] == "ok"
    hub.stop()


def test_no_key_is_worth_a_note_and_no_more(lonely: Swarm) -> None:
    assert verdicts(lonely)["key"] == (
        "note", "no Anthropic API key here", "swarm setup, or export ANTHROPIC_API_KEY=…",
    )  # fmt: skip


def test_a_stored_key_will_do(lonely: Swarm) -> None:
    lonely("setup", "--stdin", stdin=json.dumps({"anthropicApiKey": KEY}))
    found = verdicts(lonely)
    assert found["key"][:2] == ("ok", "from the encrypted file; a hub started here gets it")
    assert found["credentials"][:2] == ("ok", "anthropic-api-key (encrypted file)")


def test_a_key_of_another_form_is_worth_a_note(lonely: Swarm) -> None:
    found = verdicts(lonely, ANTHROPIC_API_KEY="sk-other-kkkk")["key"]
    assert found[0] == "note"
    assert found[1].startswith("from ANTHROPIC_API_KEY; anthropic-api-key: it has the wrong form")
    assert "kkkk" not in found[1]


def test_a_plain_file_of_credentials_is_worth_a_note(lonely: Swarm) -> None:
    plain = kept(lonely, "credentials", f"ANTHROPIC_API_KEY={KEY}\n", 0o600)
    verdict, found, mend = verdicts(lonely)["credentials"]
    assert (verdict, found) == ("note", f"anthropic-api-key (plain file): {plain} is not encrypted")
    assert mend == "swarm setup"


@pytest.mark.parametrize("name", ["credentials", "credentials.enc"])
def test_credentials_that_others_can_read_are_wrong(lonely: Swarm, name: str) -> None:
    path = kept(lonely, name, "", 0o640)
    assert verdicts(lonely)["credentials"] == ("wrong", f"{path}: open to others (mode 0640)", f"chmod 600 {path}")


@pytest.mark.parametrize(("mode", "verdict"), [(0o600, "ok"), (0o644, "note"), (0o664, "wrong"), (0o602, "wrong")])
def test_a_config_that_others_can_reach(lonely: Swarm, mode: int, verdict: str) -> None:
    path = kept(lonely, "config.json", "{}", mode)
    found = verdicts(lonely)["config"]
    assert found[0] == verdict
    assert found[2] == ("" if verdict == "ok" else f"chmod 600 {path}")


def kept(swarm: Swarm, name: str, content: str, mode: int) -> Path:
    folder = swarm.folder / "home/.config/claude-swarm"
    folder.mkdir(parents=True, mode=0o700)
    (folder / name).write_text(content)
    (folder / name).chmod(mode)
    return folder / name


def test_a_credential_that_the_hub_takes(tmp_path: Path, hub: HubProcess) -> None:
    assert verdicts(Swarm(tmp_path))["credential"][:2] == ("ok", "the hub takes its own user's token")


def test_a_variable_that_holds_another_services_key(tmp_path: Path, hub: HubProcess) -> None:
    verdict, found, _ = verdicts(Swarm(tmp_path), SWARM_API_KEY=KEY)["credential"]
    assert (verdict, found.partition(";")[0]) == ("wrong", "SWARM_API_KEY is set to something else")


def test_a_credential_that_the_hub_refuses(tmp_path: Path, hub: HubProcess) -> None:
    verdict, found, mend = verdicts(Swarm(tmp_path), SWARM_API_KEY="sk_swarm_abcdef_" + "s" * 32)["credential"]
    assert (verdict, mend) == ("wrong", "swarm login")
    assert found.startswith("the hub refuses SWARM_API_KEY: ")


def test_no_credential_for_a_hub_that_wants_one(tmp_path: Path, hub: HubProcess) -> None:
    stranger = Swarm(tmp_path, SWARM_URL=hub.url, SWARM_DATA_DIR=str(tmp_path / "other"))
    assert verdicts(stranger)["credential"] == ("wrong", f"there is none here for {hub.url}", "swarm login")


async def test_a_credential_of_few_scopes_is_worth_a_note(tmp_path: Path, hub: HubProcess) -> None:
    async with hub.client() as client:
        made = await client.make_key(KeyIn(name="few", scopes=["tasks:read"]))
    verdict, found, _ = verdicts(Swarm(tmp_path), SWARM_API_KEY=made.key)["credential"]
    assert (verdict, found.partition(",")[0]) == ("note", "the hub knows SWARM_API_KEY")


def test_no_credential_goes_over_plain_http_to_another_machine(tmp_path: Path) -> None:
    with Service(HEALTHY) as service:
        url = service.url.replace("127.0.0.1", "0.0.0.0")  # noqa: S104  # it is this machine, and not called so
        found = verdicts(Swarm(tmp_path), SWARM_URL=url, SWARM_API_KEY="sk_swarm_abcdef_" + "s" * 32)
    assert found["transport"][0] == found["credential"][0] == "wrong"
    assert all("authorization" not in request.headers for request in service.asked)


@pytest.mark.parametrize(
    ("minutes", "verdict", "told"),
    [(0, "ok", "as the hub's"), (-5, "wrong", " ahead of the hub's: "), (5, "wrong", " behind the hub's: ")],
)
def test_a_clock_that_is_not_the_hubs(lonely: Swarm, minutes: int, verdict: str, told: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    with Service(Reply(200, {"status": "ok", "version": "1"}, {"Date": date})) as service:
        found = verdicts(lonely, SWARM_URL=service.url)["clock"]
    assert found[0] == verdict
    assert told in found[1]


def test_what_is_no_hub_is_told(lonely: Swarm) -> None:
    with Service(Reply(200, {"hello": "world"})) as service:
        found = verdicts(lonely, SWARM_URL=service.url)
    assert found["hub"][:2] == ("wrong", f"what answers at {service.url} (200) is no Claude Swarm hub")
    assert "credential" not in found


def test_a_hub_that_takes_no_work_says_why(lonely: Swarm) -> None:
    body = {"status": "degraded", "version": "1", "checks": {"disk": "full", "database": "ok"}}
    with Service(Reply(503, body)) as service:
        found = verdicts(lonely, SWARM_URL=service.url)["hub"]
    assert found[:2] == ("wrong", f"at {service.url}, takes no work: disk: full")


@pytest.mark.skipif(not own_address(), reason="this machine has no address but loopback")
def test_a_hub_that_other_machines_reach_is_worth_a_note(tmp_path: Path, start_hub: Callable[..., HubProcess]) -> None:
    start_hub(HOST="0.0.0.0", JWT_SECRET="s" * 32)  # noqa: S104  # that is what is noted
    verdict, found, _ = verdicts(Swarm(tmp_path))["reach"]
    assert (verdict, found.partition(", ")[0]) == ("note", "other machines reach it")


def test_a_hub_on_loopback_is_reached_by_nobody_else(tmp_path: Path, hub: HubProcess) -> None:
    assert "reach" not in verdicts(Swarm(tmp_path))


@pytest.mark.parametrize(("wanted", "verdict"), [("", "note"), ("bubblewrap", "wrong")])
def test_a_machine_without_a_sandbox(lonely: Swarm, wanted: str, verdict: str) -> None:
    found = verdicts(lonely, PATH=str(lonely.folder), LOCAL_SANDBOX=wanted)["sandbox"]
    assert found[0] == verdict
    assert "agents can do all that you can" in found[1]


def test_a_sandbox_that_does_not_start(lonely: Swarm) -> None:
    bwrap = lonely.folder / "bwrap"
    bwrap.write_text("#!/bin/sh\nexit 1\n")
    bwrap.chmod(0o755)
    found = verdicts(lonely, PATH=str(lonely.folder), LOCAL_SANDBOX="bubblewrap")["sandbox"]
    assert found[:2] == ("wrong", f"{bwrap} may make no sandbox here: agents can do all that you can")


def test_a_limit_that_is_spent_is_worth_a_note(tmp_path: Path, hub: HubProcess) -> None:
    swarm = Swarm(tmp_path, SWARM_URL=hub.url)
    swarm("budget", "set", "--daily", "0")
    assert verdicts(swarm)["budget"] == (
        "note", "a limit is spent, and the tasks that count for it wait",
        "swarm budget says which; swarm budget set raises it",
    )  # fmt: skip


def test_a_week_with_less_money_than_a_day_is_worth_a_note(tmp_path: Path, hub: HubProcess) -> None:
    swarm = Swarm(tmp_path, SWARM_URL=hub.url)
    assert "budget" not in verdicts(swarm)
    swarm("budget", "set", "--weekly", "20")
    assert verdicts(swarm)["budget"][1] == "the week's limit, $20.00, is below the day's, $100.00"
