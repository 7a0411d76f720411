"""Where the hub is, and what a config file may hold."""

import json
import os
from pathlib import Path

import pytest
from platformdirs import user_data_path

from swarm_api.config import (
    DEFAULT_URL,
    BadConfig,
    Running,
    config_file,
    data_folder,
    hub_url,
    read_config,
    read_running,
)

NOTE = {"pid": 1, "startTime": 2.5, "url": "http://127.0.0.1:4000", "version": "1"}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "SWARM_DATA_DIR": str(tmp_path / "data")}


def write_config(environ: dict[str, str], content: str | bytes) -> Path:
    path = config_file(environ)
    path.parent.mkdir(parents=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def write_note(environ: dict[str, str], content: str) -> Path:
    data = data_folder(environ)
    data.mkdir()
    (data / "hub.json").write_text(content)
    (data / "hub.json").chmod(0o600)
    return data


def test_the_flag_comes_before_all(environ: dict[str, str]) -> None:
    write_config(environ, '{"orchestratorUrl": "http://config:1"}')
    assert hub_url("http://flag:1", {**environ, "SWARM_URL": "http://variable:1"}) == "http://flag:1"


def test_the_variable_comes_before_the_config(environ: dict[str, str]) -> None:
    write_config(environ, '{"orchestratorUrl": "http://config:1"}')
    assert hub_url(None, {**environ, "SWARM_URL": "http://variable:1/"}) == "http://variable:1"


def test_the_config_comes_before_a_local_hub(environ: dict[str, str]) -> None:
    write_config(environ, '{"orchestratorUrl": "https://hub.example/swarm"}')
    write_note(environ, json.dumps(NOTE))
    assert hub_url(None, environ) == "https://hub.example/swarm"


def test_a_local_hub_is_found_by_its_note(environ: dict[str, str]) -> None:
    data = write_note(environ, json.dumps(NOTE))
    assert read_running(data) == Running(1, 2.5, "http://127.0.0.1:4000", "1")
    assert hub_url(None, environ) == "http://127.0.0.1:4000"


@pytest.mark.parametrize(
    "note", ["", "{", "[]", "null", '{"pid": 1}', '{"pid": "x"}', '{"pid": 1e999}', "\x00", "[" * 100_000]
)
def test_a_note_that_cannot_be_read_is_none(environ: dict[str, str], note: str) -> None:
    assert read_running(write_note(environ, note)) is None
    assert hub_url(None, environ) == DEFAULT_URL


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hub",
        "ftp://hub",
        "http://",
        "http://u:p@hub",
        "http://hub?x=1",
        "http://hub:port",
        "http://[::1",
        "http://hub\t",
        "http://hub/\r\nX: y",
        "http://hub/a b",
        "http://one\\two",
    ],
)
def test_what_is_no_address_is_refused(environ: dict[str, str], url: str) -> None:
    with pytest.raises(BadConfig, match=r"^--url: "):
        hub_url(url, environ)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"orchestratorUrl": "\xff"}', "byte 21 is not UTF-8"),
        ('{\n  "flyRegion": ord\n}', ":2:16: not JSON: Expecting value"),
        ('{"defaultBudgetCents": ' + "9" * 5000 + "}", "numbers too long, or nested too deeply"),
        ("[" * 100_000, "numbers too long, or nested too deeply"),
        ("[]", "must be a JSON object of settings, not list"),
        ('{"flyRegoin": "ord"}', "unknown setting 'flyRegoin'; known are agentJobName, "),
        ('{"flyRegion": 3}', "flyRegion: must be text, not 3"),
        ('{"defaultPriority": "urgent"}', "defaultPriority: must be one of high, normal, low, not 'urgent'"),
        ('{"executorType": "moon"}', "executorType: must be one of local, fly, azure, slurm, not 'moon'"),
        ('{"defaultBudgetCents": -1}', "defaultBudgetCents: must be a whole number from 0, not -1"),
        ('{"defaultBudgetCents": true}', "defaultBudgetCents: must be a whole number from 0, not True"),
        ('{"defaultBudgetCents": 1.5}', "defaultBudgetCents: must be a whole number from 0, not 1.5"),
        ('{"defaultTimeoutMinutes": 0}', "defaultTimeoutMinutes: must be a number from 0.01 to 10080, not 0"),
        ('{"defaultTimeoutMinutes": NaN}', "defaultTimeoutMinutes: must be a number from 0.01 to 10080, not nan"),
        ('{"defaultModel": "-p"}', "defaultModel: must be opus, sonnet, haiku or a full model id, not '-p'"),
        ('{"flyRegion": "a\\nb"}', "flyRegion: must be text on one line, not 'a\\nb'"),
        ('{"orchestratorUrl": 1}', "orchestratorUrl: must be text, not 1"),
        ('{"orchestratorUrl": "hub"}', "orchestratorUrl: 'hub' is no address of a hub"),
    ],
)
def test_a_wrong_config_is_told_with_file_and_field(environ: dict[str, str], content: str | bytes, told: str) -> None:
    path = write_config(environ, content)
    with pytest.raises(BadConfig) as refused:
        read_config(path)
    assert str(refused.value).startswith(str(path))
    assert told in str(refused.value)


def test_a_config_that_cannot_be_opened_is_told(environ: dict[str, str]) -> None:
    path = config_file(environ)
    path.mkdir(parents=True)
    with pytest.raises(BadConfig, match="Is a directory"):
        read_config(path)


def test_no_config_is_no_setting(environ: dict[str, str]) -> None:
    assert read_config(config_file(environ)) == {}


def test_the_config_folder_can_be_moved(environ: dict[str, str]) -> None:
    assert config_file({**environ, "XDG_CONFIG_HOME": "/elsewhere"}) == Path("/elsewhere/claude-swarm/config.json")


def test_data_is_in_the_platforms_folder() -> None:
    assert data_folder({"HOME": os.environ["HOME"]}) == user_data_path("claude-swarm", appauthor=False)
