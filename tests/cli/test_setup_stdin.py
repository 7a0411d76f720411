"""`swarm setup --stdin`: settings and secrets as JSON, all of them or none. No terminal, no keyring."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cli.program import Swarm

KEY = "sk-ant-api03-" + "k" * 40
SWARM_KEY = "sk_swarm_abcdef_" + "s" * 32
SECRETS = {
    "anthropicApiKey": KEY, "flyApiToken": "fo1_" + "f" * 40, "githubToken": "ghp_" + "g" * 36,
    "swarmApiKey": SWARM_KEY,
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "executorType": "local", "orchestratorUrl": "https://hub.example", "flyAppName": "shop", "flyRegion": "ord",
    "flyContainerImage": "registry/image", "azureSubscriptionId": "id", "azureResourceGroup": "group",
    "containerAppsEnvironment": "env", "agentJobName": "job", "defaultModel": "haiku", "defaultPriority": "low",
    "defaultBudgetCents": 100, "defaultTimeoutMinutes": 5,
}  # fmt: skip


def folder(swarm: Swarm) -> Path:
    return swarm.folder / "home/.config/claude-swarm"


def files(swarm: Swarm) -> dict[str, bytes]:
    """All that is kept, without what locks it."""
    return {path.name: path.read_bytes() for path in folder(swarm).iterdir() if path.suffix != ".lock"}


def given(swarm: Swarm, fields: Any, *flags: str) -> tuple[int, str, str]:
    run = swarm("setup", "--stdin", *flags, stdin=fields if isinstance(fields, str | bytes) else json.dumps(fields))
    return run.returncode, run.stdout, run.stderr


def config(swarm: Swarm) -> Any:
    return json.loads((folder(swarm) / "config.json").read_text())


def secrets(swarm: Swarm) -> dict[str, str | None]:
    return {each["name"]: each["origin"] for each in json.loads(swarm("config", "--json").stdout)["secrets"]}


def test_every_field_of_the_contract_is_taken(lonely: Swarm) -> None:
    assert given(lonely, {**SETTINGS, **SECRETS})[0] == 0
    assert config(lonely) == SETTINGS
    assert secrets(lonely) == {
        "anthropic-api-key": "encrypted file", "fly-api-token": "encrypted file", "github-token": "encrypted file",
        "orchestrator-jwt": None, "swarm-api-key": "encrypted file",
    }  # fmt: skip


def test_no_secret_is_in_plain_text_anywhere(lonely: Swarm) -> None:
    _, out, error = given(lonely, {**SETTINGS, **SECRETS})
    kept = [path.read_bytes() for path in lonely.folder.rglob("*") if path.is_file()]
    for secret in SECRETS.values():
        assert secret not in out + error
        assert not any(secret.encode() in content for content in kept)


def test_only_the_owner_can_read_what_is_kept(lonely: Swarm) -> None:
    given(lonely, {**SETTINGS, **SECRETS})
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder(lonely).iterdir()}
    assert modes["config.json"] == modes["credentials.enc"] == 0o600
    assert set(modes.values()) == {0o600}
    assert folder(lonely).stat().st_mode & 0o777 == 0o700


def test_what_is_not_given_stays(lonely: Swarm) -> None:
    given(lonely, {"flyRegion": "ord", "anthropicApiKey": KEY})
    given(lonely, {"defaultModel": "opus"})
    assert config(lonely) == {"flyRegion": "ord", "defaultModel": "opus"}
    assert secrets(lonely)["anthropic-api-key"] == "encrypted file"


def test_null_takes_away(lonely: Swarm) -> None:
    given(lonely, {"flyRegion": "ord", "anthropicApiKey": KEY})
    assert given(lonely, {"flyRegion": None, "anthropicApiKey": None})[0] == 0
    assert config(lonely) == {}
    assert secrets(lonely)["anthropic-api-key"] is None


def test_the_provider_may_be_a_flag(lonely: Swarm) -> None:
    assert given(lonely, {"flyAppName": "shop"}, "--provider", "fly")[0] == 0
    assert config(lonely) == {"executorType": "fly", "flyAppName": "shop"}


def test_a_setting_that_this_version_cannot_use_is_kept_and_told(lonely: Swarm) -> None:
    code, _, error = given(lonely, {"executorType": "fly"})
    assert code == 0
    assert error == "warning: workers at fly reach a hub by its PUBLIC_URL, which it needs for that\n"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"flyRegoin": "ord"}, "unknown field 'flyRegoin'; known are agentJobName, anthropicApiKey, "),
        ({"orchestratorJwt": "x"}, "unknown field 'orchestratorJwt'"),
        ({"executorType": "moon"}, "executorType: must be one of local, fly, azure, slurm, not 'moon'"),
        ({"defaultTimeoutMinutes": "5"}, "defaultTimeoutMinutes: must be a number from 0.01 to 10080, not '5'"),
        ({"orchestratorUrl": "hub"}, "orchestratorUrl: 'hub' is no address of a hub"),
        ({"anthropicApiKey": 5}, "anthropicApiKey: must be text"),
        ({"anthropicApiKey": ""}, "anthropic-api-key: it is empty"),
        ({"githubToken": "g" * 40}, "github-token: it has the wrong form"),
        ({"swarmApiKey": "sk_swarm_x"}, "swarm-api-key: it has the wrong form"),
    ],
)
def test_one_wrong_field_and_nothing_is_kept(lonely: Swarm, wrong: dict[str, Any], told: str) -> None:
    code, out, error = given(lonely, {"defaultModel": "opus", "anthropicApiKey": KEY, **wrong})
    assert (code, out) == (2, "")
    assert error.startswith(f"error: {told}")
    assert error.endswith(" hint: nothing was changed\n")
    assert not folder(lonely).exists()


def test_all_that_is_wrong_is_told_at_once(lonely: Swarm) -> None:
    _, _, error = given(lonely, {"flyRegoin": "x", "executorType": "moon", "anthropicApiKey": "x"})
    assert [line.split()[0] for line in error.splitlines()] == ["error:", "error:", "error:", "hint:"]


@pytest.mark.parametrize(
    "fields",
    [
        {"anthropicApiKey": KEY + "ü"},
        {"anthropicApiKey": [KEY]},
        {"executorType": KEY},
        {"flyRegion": [KEY]},
        {KEY: 1},
        {"orchestratorUrl": KEY},
        {"orchestratorUrl": f"https://user:{KEY}@hub"},
        {"defaultBudgetCents": KEY, "anthropicApiKey": KEY},
    ],
)
def test_no_error_holds_a_secret(lonely: Swarm, fields: dict[str, Any]) -> None:
    code, out, error = given(lonely, fields)
    assert code == 2
    assert "kkkk" not in out + error


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "stdin is empty"),
        (KEY, "stdin:1:1: not JSON: Expecting value"),
        ("[]", "stdin: must be a JSON object, not list"),
        (b"\xff{}", "stdin: byte 0 is not UTF-8"),
        ('{"defaultBudgetCents": ' + "9" * 5000 + "}", "stdin: numbers too long, or nested too deeply"),
        ("[" * 100_000, "stdin: numbers too long, or nested too deeply"),
        (b"{" + b" " * 1_000_001, "stdin: more than 1,000,000 bytes"),
    ],
)
def test_what_is_no_json_object_is_told(lonely: Swarm, text: str | bytes, told: str) -> None:
    code, out, error = given(lonely, text)
    assert (code, out) == (2, "")
    assert error.startswith(f"error: {told}")
    assert "kkkk" not in error


def test_a_mark_at_its_beginning_is_no_obstacle(lonely: Swarm) -> None:
    assert given(lonely, b'\xef\xbb\xbf{"defaultModel": "opus"}')[0] == 0


def block(swarm: Swarm, name: str) -> None:
    """Let the file be read but not written: its draft's name is taken by a folder."""
    (folder(swarm) / f"{name}.new").mkdir()


def test_a_secret_that_cannot_be_stored_leaves_the_settings_as_they_were(lonely: Swarm) -> None:
    given(lonely, {"defaultModel": "haiku", "flyRegion": "ord"})
    block(lonely, "credentials.enc")
    code, out, error = given(lonely, {"defaultModel": "opus", "flyRegion": None, "anthropicApiKey": KEY})
    assert (code, out) == (1, "")
    assert "credentials.enc: Is a directory; nothing was changed" in error
    assert config(lonely) == {"defaultModel": "haiku", "flyRegion": "ord"}
    assert secrets(lonely)["anthropic-api-key"] is None


def test_settings_that_cannot_be_written_leave_the_secrets_as_they_were(lonely: Swarm) -> None:
    given(lonely, {"anthropicApiKey": KEY, "swarmApiKey": SWARM_KEY})
    before = secrets(lonely)
    block(lonely, "config.json")
    fields = {"orchestratorUrl": "https://hub.example", "anthropicApiKey": None, "githubToken": SECRETS["githubToken"]}
    code, _, error = given(lonely, fields)
    assert code == 1
    assert "config.json.new: Is a directory" in error
    assert secrets(lonely) == before


@pytest.mark.parametrize(("name", "content"), [("config.json", "{"), ("credentials.enc", "not ours")])
def test_what_cannot_be_read_is_told_and_nothing_is_kept(lonely: Swarm, name: str, content: str) -> None:
    given(lonely, {"defaultModel": "haiku", "anthropicApiKey": KEY})
    (folder(lonely) / name).write_text(content)
    before = files(lonely)
    code, out, error = given(lonely, {"defaultModel": "opus", "githubToken": SECRETS["githubToken"]})
    assert (code != 0, out) == (True, "")
    assert error.startswith(f"error: {folder(lonely) / name}:")
    assert files(lonely) == before


def test_of_several_at_once_none_undoes_another(lonely: Swarm) -> None:
    every = [{field: value} for field, value in {**SETTINGS, **SECRETS}.items() if field != "orchestratorUrl"]
    with ThreadPoolExecutor(4) as pool:
        assert [code for code, _, _ in pool.map(lambda fields: given(lonely, fields), every)] == [0] * len(every)
    assert config(lonely) == {name: value for name, value in SETTINGS.items() if name != "orchestratorUrl"}
    assert [name for name, origin in secrets(lonely).items() if origin is None] == ["orchestrator-jwt"]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([], "setup asks its questions on a terminal, and this is none"),
        (["--provider", "fly"], "setup asks its questions on a terminal"),
        (["--json"], "--json goes with --check"),
        (["--check", "--stdin"], "--check changes nothing"),
        (["--check", "--provider", "fly"], "--check changes nothing"),
    ],
)
def test_what_was_not_meant_so_is_a_usage_error(lonely: Swarm, flags: list[str], told: str) -> None:
    run = lonely("setup", *flags)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"error: {told}")
    assert not folder(lonely).exists()
