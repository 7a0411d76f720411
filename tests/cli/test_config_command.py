"""`swarm config`: settings one by one, and of secrets only whether they are set."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.program import Swarm

KEY = "sk-ant-api03-" + "k" * 40
SWARM_KEY = "sk_swarm_abcdef_" + "s" * 32


def file(swarm: Swarm) -> Path:
    return swarm.folder / "home/.config/claude-swarm/config.json"


def kept(swarm: Swarm) -> Any:
    return json.loads(file(swarm).read_text())


def listed(swarm: Swarm, **environ: str) -> dict[str, tuple[Any, str | None, str | None]]:
    found = json.loads(swarm("config", "--list", "--json", **environ).stdout)
    return {each["name"]: (each["value"], each["origin"], each["variable"]) for each in found["settings"]}


def secrets(swarm: Swarm, **environ: str) -> dict[str, tuple[bool, str | None, str | None]]:
    found = json.loads(swarm("config", "--list", "--json", **environ).stdout)
    return {each["name"]: (each["set"], each["origin"], each["variable"]) for each in found["secrets"]}


def store(swarm: Swarm, **fields: Any) -> None:
    assert swarm("setup", "--stdin", stdin=json.dumps(fields)).returncode == 0


def test_what_is_set_is_got(lonely: Swarm) -> None:
    run = lonely("config", "set", "defaultModel", "opus")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert lonely("config", "get", "defaultModel").stdout == "opus\n"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("defaultBudgetCents", "250", 250), ("defaultTimeoutMinutes", "2.5", 2.5), ("flyAppName", "250", "250")],
)
def test_numbers_are_numbers_where_the_field_is_one(lonely: Swarm, name: str, text: str, value: Any) -> None:
    assert lonely("config", "set", name, text).returncode == 0
    assert kept(lonely) == {name: value}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("executorType", "moon", "executorType: must be one of local, fly, azure, slurm, not 'moon'"),
        ("defaultBudgetCents", "2.5", "defaultBudgetCents: must be a whole number from 0, not 2.5"),
        ("defaultBudgetCents", "9" * 20, f"defaultBudgetCents: must be a whole number from 0, not '{'9' * 20}'"),
        ("defaultTimeoutMinutes", "soon", "defaultTimeoutMinutes: must be a number from 0.01 to 10080, not 'soon'"),
        ("defaultTimeoutMinutes", "\u0665", "defaultTimeoutMinutes: must be a number from 0.01 to 10080, not '\u0665'"),
        ("flyAppName", "", "flyAppName: must be text on one line, not ''"),
        ("orchestratorUrl", "https://u:p@hub", "orchestratorUrl: the address must hold no user, query or fragment;"),
        ("flyRegoin", "ord", "unknown setting 'flyRegoin'; known are agentJobName, anthropic-api-key, "),
    ],
)
def test_what_cannot_be_is_told_with_field_value_and_what_is_allowed(
    lonely: Swarm, name: str, value: str, told: str
) -> None:
    run = lonely("config", "set", name, value)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"error: {told}")
    assert not file(lonely).exists()


def test_a_missing_value_is_told(lonely: Swarm) -> None:
    run = lonely("config", "set", "flyRegion")
    assert (run.returncode, run.stderr.splitlines()[0]) == (2, "error: flyRegion: the value is missing")


@pytest.mark.parametrize("name", ["anthropicApiKey", "anthropic-api-key", "githubToken", "fly-api-token"])
@pytest.mark.parametrize("value", [[KEY], []])
def test_a_secret_is_no_argument(lonely: Swarm, name: str, value: list[str]) -> None:
    run = lonely("config", "set", name, *value)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.endswith(" hint: swarm setup, or swarm setup --stdin\n")
    assert KEY not in run.stderr


@pytest.mark.parametrize("name", ["swarmApiKey", "orchestrator-jwt"])
def test_the_hubs_secrets_come_by_login(lonely: Swarm, name: str) -> None:
    assert lonely("config", "set", name, SWARM_KEY).stderr.endswith(" hint: swarm login\n")
    assert lonely("config", "unset", name).stderr.endswith(" hint: swarm logout\n")


def test_unset_takes_a_setting_away(lonely: Swarm) -> None:
    store(lonely, flyRegion="ord", defaultModel="opus")
    assert lonely("config", "unset", "flyRegion").returncode == 0
    assert kept(lonely) == {"defaultModel": "opus"}


def test_unset_takes_a_stored_secret_away(lonely: Swarm) -> None:
    store(lonely, anthropicApiKey=KEY)
    assert lonely("config", "unset", "anthropicApiKey").returncode == 0
    assert secrets(lonely)["anthropic-api-key"] == (False, None, None)


def test_get_without_a_value_exits_with_1(lonely: Swarm) -> None:
    run = lonely("config", "get", "flyRegion")
    assert (run.returncode, run.stdout) == (1, "")


def test_get_of_a_default(lonely: Swarm) -> None:
    assert lonely("config", "get", "executorType").stdout == "local\n"


def test_get_of_a_secret_says_whether_and_where_it_is_set(lonely: Swarm) -> None:
    unset = lonely("config", "get", "anthropicApiKey")
    store(lonely, anthropicApiKey=KEY)
    stored = lonely("config", "get", "anthropicApiKey")
    given = lonely("config", "get", "anthropic-api-key", ANTHROPIC_API_KEY="mine")
    assert (unset.returncode, unset.stdout) == (1, "unset\n")
    assert (stored.returncode, stored.stdout) == (0, "set (encrypted file)\n")
    assert (given.returncode, given.stdout) == (0, "set (environment)\n")


def test_get_as_json(lonely: Swarm) -> None:
    found = json.loads(lonely("config", "get", "flyRegion", "--json", FLY_REGION="ord").stdout)
    assert found == {"name": "flyRegion", "value": "ord", "origin": "environment", "variable": "FLY_REGION"}


def test_where_each_setting_comes_from(lonely: Swarm) -> None:
    store(lonely, defaultPriority="low", flyRegion="ord")
    found = listed(lonely, FLY_REGION="sjc", SWARM_URL="https://hub.example")
    assert found["defaultPriority"] == ("low", "config", None)
    assert found["flyRegion"] == ("sjc", "environment", "FLY_REGION")
    assert found["orchestratorUrl"] == ("https://hub.example", "environment", "SWARM_URL")
    assert found["defaultModel"] == ("sonnet", "default", None)
    assert found["agentJobName"] == (None, None, None)
    assert listed(lonely, PORT="4000")["orchestratorUrl"] == ("http://127.0.0.1:4000", "local hub", None)


def test_where_each_secret_comes_from(lonely: Swarm) -> None:
    store(lonely, githubToken="ghp_" + "g" * 36)
    found = secrets(lonely, ANTHROPIC_API_KEY=KEY)
    assert found["anthropic-api-key"] == (True, "environment", "ANTHROPIC_API_KEY")
    assert found["github-token"] == (True, "encrypted file", None)
    assert found["swarm-api-key"] == (False, None, None)


@pytest.mark.parametrize("flags", [["--list"], ["--list", "--json"], []])
def test_no_list_holds_a_secret(lonely: Swarm, flags: list[str]) -> None:
    store(lonely, swarmApiKey=SWARM_KEY)
    run = lonely("config", *flags, ANTHROPIC_API_KEY=KEY)
    assert run.returncode == 0
    assert "kkkk" not in run.stdout + run.stderr
    assert "ssss" not in run.stdout + run.stderr


def test_a_pipe_gets_a_line_for_each_with_tabs(lonely: Swarm) -> None:
    lines = [line.split("\t") for line in lonely("config", "--list").stdout.splitlines()]
    assert lines[0] == ["executorType", "local", "default"]
    assert lines[-1] == ["swarm-api-key", "unset", ""]


def test_a_terminal_gets_a_table_that_fits(lonely: Swarm) -> None:
    store(lonely, flyContainerImage="registry.example/" + "x" * 200)
    code, seen = lonely.on_terminal("config", NO_COLOR="1", ANTHROPIC_API_KEY=KEY)
    assert code == 0
    assert max(map(len, seen.splitlines()[:-1])) <= 80
    assert "environment, ANTHROPIC_API_KEY" in seen


def test_a_variable_that_wins_is_told_to_who_sets_the_field(lonely: Swarm) -> None:
    run = lonely("config", "set", "orchestratorUrl", "https://hub.example", SWARM_URL="https://other.example")
    assert run.returncode == 0
    assert run.stderr == "warning: SWARM_URL is set here, and wins\n"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("executorType", "slurm", "workers at slurm reach a hub by its PUBLIC_URL"),
    ],
)
def test_what_this_version_cannot_use_is_told(lonely: Swarm, name: str, value: str, told: str) -> None:
    run = lonely("config", "set", name, value)
    assert run.returncode == 0
    assert run.stderr.startswith(f"warning: {told}")


@pytest.mark.parametrize(
    ("before", "command", "forgotten"),
    [
        ("https://a.example", ["set", "orchestratorUrl", "https://b.example"], True),
        ("https://a.example", ["set", "orchestratorUrl", "https://a.example:8443"], True),
        ("https://a.example", ["set", "orchestratorUrl", "http://a.example"], True),
        ("https://a.example", ["unset", "orchestratorUrl"], True),
        ("https://a.example", ["set", "orchestratorUrl", "https://a.example:443/swarm"], False),
        ("https://a.example", ["set", "defaultModel", "opus"], False),
        (None, ["set", "orchestratorUrl", "https://a.example"], True),
        (None, ["set", "orchestratorUrl", "http://127.0.0.1:3000"], False),
    ],
)
def test_the_credentials_of_a_hub_that_is_left_are_forgotten(
    lonely: Swarm, before: str | None, command: list[str], forgotten: bool
) -> None:
    store(lonely, orchestratorUrl=before)
    store(lonely, swarmApiKey=SWARM_KEY, anthropicApiKey=KEY)
    run = lonely("config", *command)
    assert run.returncode == 0
    assert ("swarm-api-key of the one before forgotten" in run.stderr) == forgotten
    assert secrets(lonely)["swarm-api-key"][0] != forgotten
    assert secrets(lonely)["anthropic-api-key"][0]


def test_what_comes_with_another_hub_is_kept(lonely: Swarm) -> None:
    store(lonely, orchestratorUrl="https://a.example", swarmApiKey=SWARM_KEY)
    store(lonely, orchestratorUrl="https://b.example", swarmApiKey=SWARM_KEY)
    assert secrets(lonely)["swarm-api-key"][0]


def test_a_config_that_cannot_be_read_is_told(lonely: Swarm) -> None:
    file(lonely).parent.mkdir(parents=True)
    file(lonely).write_text("[]")
    for arguments in (["--list"], ["get", "flyRegion"], ["set", "flyRegion", "ord"]):
        run = lonely("config", *arguments)
        assert (run.returncode, run.stdout) == (2, "")
        assert run.stderr == f"error: {file(lonely)}: must be a JSON object of settings, not list\n"


def test_a_store_that_cannot_be_trusted_is_told(lonely: Swarm) -> None:
    store(lonely, anthropicApiKey=KEY)
    (file(lonely).parent / "credentials.enc").chmod(0o644)
    run = lonely("config", "--list")
    assert run.returncode == 1
    assert "credentials.enc: open to others (mode 0644); chmod 600 " in run.stderr
