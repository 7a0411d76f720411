"""What a hub that is started here is given."""

from pathlib import Path

import pytest

from swarm_api.config import config_file
from swarm_api.config_file import change_config
from swarm_api.credentials import Credentials
from swarm_cli.local_hub import hub_environment

KEY = "sk-ant-api03-" + "k" * 40


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PATH": "/bin"}


def store_key(environ: dict[str, str]) -> None:
    Credentials(environ, pytest.fail).store("anthropic-api-key", KEY)


def test_nothing_but_the_environment_where_nothing_is_configured(environ: dict[str, str]) -> None:
    assert hub_environment(environ) == environ


def test_the_stored_key(environ: dict[str, str]) -> None:
    store_key(environ)
    assert hub_environment(environ)["ANTHROPIC_API_KEY"] == KEY


def test_the_stored_key_where_the_variable_is_empty(environ: dict[str, str]) -> None:
    store_key(environ)
    assert hub_environment({**environ, "ANTHROPIC_API_KEY": ""})["ANTHROPIC_API_KEY"] == KEY


def test_the_key_of_the_environment_before_the_stored_one(environ: dict[str, str]) -> None:
    store_key(environ)
    assert hub_environment({**environ, "ANTHROPIC_API_KEY": "mine"})["ANTHROPIC_API_KEY"] == "mine"


@pytest.mark.parametrize("settings", [{"SIMULATE_MODE": "true"}, {"SWARM_RUNTIME": "scripted"}])
def test_no_key_where_no_model_is_called(environ: dict[str, str], settings: dict[str, str]) -> None:
    store_key(environ)
    assert "ANTHROPIC_API_KEY" not in hub_environment({**environ, **settings})


@pytest.mark.parametrize(("name", "variable"), [("github-token", "GITHUB_TOKEN"), ("fly-api-token", "FLY_API_TOKEN")])
def test_the_tokens_that_are_stored(environ: dict[str, str], name: str, variable: str) -> None:
    token = {"g": "ghp_", "f": "fo1_"}[name[0]] + "a" * 36
    Credentials(environ, pytest.fail).store(name, token)
    assert hub_environment(environ) == {**environ, variable: token}
    assert hub_environment({**environ, variable: "mine"})[variable] == "mine"


@pytest.mark.parametrize(("minutes", "written"), [(5, "5"), (0.01, "0.01"), (2.50004, "2.5"), (10.0, "10")])
def test_the_settings_it_takes(environ: dict[str, str], minutes: float, written: str) -> None:
    settings = {"executorType": "local", "defaultTimeoutMinutes": minutes, "flyAppName": "shop"}
    change_config(config_file(environ), settings)
    given = {"EXECUTOR_TYPE": "local", "DEFAULT_TIMEOUT_MINUTES": written, "FLY_APP_NAME": "shop"}
    assert hub_environment(environ) == {**environ, **given}


def test_variables_before_settings(environ: dict[str, str]) -> None:
    change_config(config_file(environ), {"executorType": "fly"})
    assert hub_environment({**environ, "EXECUTOR_TYPE": "local"})["EXECUTOR_TYPE"] == "local"
