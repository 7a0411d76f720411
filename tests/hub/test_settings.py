"""The environment of a hub: what each variable may hold, and what is said when it holds something else."""

from pathlib import Path

import pytest

from swarm_hub.settings import LATER, SETTINGS, BadSetting, Setting, read_settings

BAD: dict[str, list[str]] = {
    "HOST": ["0.0.0.0", "::", "192.168.1.2", "example.org", "127.0.0.1:3000", " "],  # noqa: S104  # refused
    "PORT": ["http", "-1", "65536", "3000.0", "99999999999", "0x10"],
    "PUBLIC_URL": ["example.org", "ftp://example.org", "http://", "http://[::1", "http://a:99999", "http://a/?q=1",
                   "http://a/#b"],
    "SWARM_DATA_DIR": ["data", "./data", "~nobody-of-this-name/data"],
    "SWARM_REPO_ROOTS": ["src", "/srv,src", "/srv,", ",", "~nobody-of-this-name"],
    "EXECUTOR_TYPE": ["fly", "Local", "local,fly"],
    "SIMULATE_MODE": ["yes", "on", "2"],
    "SWARM_RUNTIME": ["simulated", "gpt"],
    "MAX_PARALLEL_AGENTS": ["0", "-1", "many", "1e3", "10001"],
    "DEFAULT_TIMEOUT_MINUTES": ["0", "-5", "1h", "99999", "nan", "inf"],
    "ANTHROPIC_KEY_MODE": ["gateway", "both"],
    "ANTHROPIC_API_KEY": ["sk canary", "sk-cänary", "canary" * 100],
    "ANTHROPIC_BASE_URL": ["api.anthropic.com", "file:///etc/passwd"],
    "LOG_FORMAT": ["xml", "JSON"],
    "LOG_LEVEL": ["loud", "INFO", "trace"],
}  # fmt: skip


def refusal(**environment: str) -> str:
    with pytest.raises(BadSetting) as refused:
        read_settings(environment)
    text = str(refused.value)
    assert "\n" not in text
    return text


def test_every_setting_has_values_it_refuses() -> None:
    assert {setting.variable for setting in SETTINGS.values()} == BAD.keys()


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.variable)
def test_a_bad_value_is_named_with_its_variable_and_what_is_allowed(setting: Setting) -> None:
    for value in BAD[setting.variable]:
        text = refusal(**{setting.variable: value})
        assert text.startswith(setting.variable), text
        assert "allowed: " in text
        assert setting.secret or repr(value) in text


@pytest.mark.parametrize("variable", sorted(LATER))
def test_a_setting_that_is_not_built_yet_stops_the_start_and_its_value_is_not_told(variable: str) -> None:
    text = refusal(**{variable: "canary"})
    assert text.startswith(variable)
    assert "not_supported" in text
    assert "canary" not in text


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ANTHROPIC_API_KEY", "sk-canary with a space"), ("PUBLIC_URL", "http://ada:canary@example.org"),
        ("ANTHROPIC_BASE_URL", "https://canary@example.org"), ("ANTHROPIC_BASE_URL", "ftp://ada:canary@example.org"),
    ],
)  # fmt: skip
def test_a_secret_in_a_bad_value_is_not_told(variable: str, value: str) -> None:
    assert "canary" not in refusal(**{variable: value})


def test_a_value_of_several_lines_is_told_in_one() -> None:
    refusal(LOG_LEVEL="info\nLOG_FORMAT=json")


def test_without_any_variable_there_is_a_default_for_each() -> None:
    settings = read_settings({})
    assert (settings.host, settings.port, settings.max_parallel_agents) == ("127.0.0.1", 3000, 20)
    assert (settings.executor_type, settings.agent_runtime, settings.anthropic_key_mode) == (
        "local",
        "claude",
        "inject",
    )
    assert (settings.default_timeout_minutes, settings.log_level, settings.public_url) == (60, "info", None)
    assert settings.repo_roots == (Path.home(),)
    assert settings.data_dir.name == "claude-swarm"


@pytest.mark.parametrize("variable", [*sorted(LATER), *(setting.variable for setting in SETTINGS.values())])
def test_an_empty_variable_counts_as_unset(variable: str) -> None:
    assert read_settings({variable: ""}) == read_settings({})


def test_other_variables_do_not_matter() -> None:
    assert read_settings({"PATH": "/bin", "SWARM_URL": "x", "GIT_DIR": "y"}) == read_settings({})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_the_hub_may_listen_on_any_loopback_address(host: str) -> None:
    assert read_settings({"HOST": host}).host == host


def test_values_are_read_as_what_they_are() -> None:
    settings = read_settings({
        "PORT": "0", "PUBLIC_URL": "https://swarm.example/hub/", "SWARM_DATA_DIR": "/srv/swarm",
        "SWARM_REPO_ROOTS": "/srv/a, /srv/b", "SIMULATE_MODE": "TRUE", "DEFAULT_TIMEOUT_MINUTES": "0.5",
        "ANTHROPIC_API_KEY": "sk-canary",
    })  # fmt: skip
    assert (settings.port, settings.public_url, settings.data_dir) == (
        0,
        "https://swarm.example/hub",
        Path("/srv/swarm"),
    )
    assert settings.repo_roots == (Path("/srv/a"), Path("/srv/b"))
    assert (settings.agent_runtime, settings.default_timeout_minutes) == ("simulated", 0.5)
    assert settings.anthropic_api_key == "sk-canary"


def test_a_home_may_be_written_as_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/users/ada")
    assert read_settings({"SWARM_DATA_DIR": "~/swarm"}).data_dir == Path("/users/ada/swarm")
