"""The environment of a hub: what each variable may hold, and what is said when it holds something else."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from swarm_hub.settings import BadSetting, read_settings
from swarm_hub.settings_table import LATER, SECRETS, SETTINGS, Setting

BAD: dict[str, list[str]] = {
    "HOST": ["0.0.0.0", "::", "192.168.1.2", "example.org", "127.0.0.1:3000", " "],  # noqa: S104  # without a secret
    "JWT_SECRET": ["canary", "c" * 31, ",".join(["c" * 32] * 3), "c" * 32 + ",", f"{'c' * 32}, {'d' * 32}"],
    "JWT_TTL_SECONDS": ["0", "59", "7d", "31536001", "-1"],
    "SWARM_BOOTSTRAP_KEY": ["canary", "sk_swarm_short_" + "x" * 32, f"sk_swarm_{'a' * 8}_{'x' * 44}", "sk-ant-api03-x"],
    "ALLOWED_ORIGINS": ["*", "example.org", "https://example.org/", "https://a.example,", "null", "ftp://a.example",
                        "https://a.example:443", "http://a.example:80", "https://a.example:x", "https://ä.example",
                        "https://a.example:", "https://a.example?", "https://", "https://[::1"],
    "TRUSTED_PROXIES": ["proxy", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.1;10.0.0.2", "*"],
    "PORT": ["http", "-1", "65536", "3000.0", "99999999999", "0x10"],
    "PUBLIC_URL": ["example.org", "ftp://example.org", "http://", "http://[::1", "http://a:99999", "http://a/?q=1",
                   "http://a/#b"],
    "SWARM_DATA_DIR": ["data", "./data", "~nobody-of-this-name/data"],
    "SWARM_REPO_ROOTS": ["src", "/srv,src", "/srv,", ",", "~nobody-of-this-name"],
    "EXECUTOR_TYPE": ["fly", "azure", "slurm", "Local", "local,fly", "aws"],
    "SIMULATE_MODE": ["yes", "on", "2"],
    "SWARM_RUNTIME": ["simulated", "gpt"],
    "LOCAL_SANDBOX": ["true", "docker", "bwrap"],
    "LOCAL_SANDBOX_NETWORK": ["none", "Hub"],
    "MAX_PARALLEL_AGENTS": ["0", "-1", "many", "1e3", "10001"],
    "DEFAULT_TIMEOUT_MINUTES": ["0", "-5", "1h", "99999", "nan", "inf"],
    "TIME_ZONE": ["Mars/Olympus", "CEST+2", "/etc/passwd", "../UTC", "utc "],
    "DAILY_BUDGET_CENTS": ["-1", "10.5", "$100", "1e4", "9999999999", "none"],
    "WEEKLY_BUDGET_CENTS": ["-1", "10.5"],
    "DEFAULT_TASK_BUDGET_CENTS": ["-1", "10.5", "five"],
    "SWARM_PRICES": ["prices.toml", "~nobody-of-this-name/prices.toml"],
    "ANTHROPIC_KEY_MODE": ["Gateway", "both"],
    "ANTHROPIC_API_KEY": ["sk canary", "sk-cänary", "canary" * 100],
    "ANTHROPIC_BASE_URL": ["api.anthropic.com", "file:///etc/passwd"],
    "LOG_FORMAT": ["xml", "JSON"],
    "SWARM_JOURNAL_DAYS": ["-1", "36501", "a month", "1.5"],
    "OTEL_EXPORTER_OTLP_ENDPOINT": ["localhost:4318", "grpc://localhost:4317"],
    "OTEL_EXPORTER_OTLP_HEADERS": ["canary", "=canary", "two words=canary", "a=canary%0d%0ab:c"],
    "SWARM_DRAIN_SECONDS": ["-1", "1m", "86401"],
    "GITHUB_TOKEN": ["ghp canary", "canary" * 100],
    "GITHUB_API_URL": ["github.example", "ftp://github.example"],
    "FLY_API_TOKEN": [" canary", "canary\nx", "cänary"],
    "FLY_APP_NAME": ["../x", "a b", "-x"],
    "FLY_REGION": ["o rd", "ord,iad"],
    "FLY_FALLBACK_REGIONS": ["iad;sjc", ",", "iad,"],
    "FLY_CONTAINER_IMAGE": ["two words", "-image", "image;rm"],
    "FLY_FLAPS_BASE_URL": ["api.machines.dev"],
    "FLY_LOGS_BASE_URL": ["ftp://api.fly.io"],
    "AZURE_SUBSCRIPTION_ID": ["a/b", "?"],
    "AZURE_RESOURCE_GROUP": ["a/b"],
    "CONTAINER_APPS_ENVIRONMENT": ["a/b"],
    "AGENT_JOB_NAME": ["a/b"],
    "AZURE_CONTAINER_IMAGE": ["two words"],
    "AZURE_MANAGEMENT_URL": ["management.azure.com"],
    "SLURM_REST_URL": ["/run/slurm.sock", "unix:slurm.sock"],
    "SLURM_API_VERSION": ["38", "v0.0.38/../x"],
    "SLURM_PARTITION": ["a b"],
    "SLURM_WORKER": ["swarm-worker; rm", "-x"],
    "SLURM_FOLDER": ["tmp"],
    "SLURM_USER": ["a b"],
    "SLURM_JWT": ["canary\nx"],
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


SECRET = "s" * 32


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2"])  # noqa: S104  # that is the question
def test_the_hub_listens_beyond_loopback_with_a_secret_of_its_own(host: str) -> None:
    assert read_settings({"HOST": host, "JWT_SECRET": SECRET}).host == host


def test_beyond_loopback_no_folder_is_open_to_tasks_unless_it_is_named() -> None:
    beyond = {"HOST": "0.0.0.0", "JWT_SECRET": SECRET}  # noqa: S104  # the same question
    assert read_settings(beyond).repo_roots == ()
    assert read_settings({**beyond, "SWARM_REPO_ROOTS": "/srv"}).repo_roots == (Path("/srv"),)


def test_the_settings_that_are_secret_are_known_by_name() -> None:
    assert set(SECRETS) == {
        "JWT_SECRET", "SWARM_BOOTSTRAP_KEY", "ANTHROPIC_API_KEY", "OTEL_EXPORTER_OTLP_HEADERS", "GITHUB_TOKEN",
        "FLY_API_TOKEN", "SLURM_JWT",
    }  # fmt: skip


def test_two_secrets_are_the_new_one_and_the_old_one() -> None:
    assert read_settings({"JWT_SECRET": f"{SECRET},{'t' * 32}"}).jwt_secret == (SECRET, "t" * 32)


def test_origins_and_proxies_are_lists() -> None:
    settings = read_settings({
        "ALLOWED_ORIGINS": "https://a.example, http://[::1]:8080", "TRUSTED_PROXIES": "10.0.0.7, fdaa::/16",
    })  # fmt: skip
    assert settings.allowed_origins == ("https://a.example", "http://[::1]:8080")
    assert settings.trusted_proxies == (ip_network("10.0.0.7"), ip_network("fdaa::/16"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("JWT_SECRET", "canary"), ("SWARM_BOOTSTRAP_KEY", "sk_swarm_canary"),
        ("ANTHROPIC_API_KEY", "sk-canary with a space"), ("PUBLIC_URL", "http://ada:canary@example.org"),
        ("ANTHROPIC_BASE_URL", "https://canary@example.org"), ("ALLOWED_ORIGINS", "https://ada:canary@a.example"),
        ("ANTHROPIC_BASE_URL", "ftp://ada:canary@example.org"),
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
        "gateway",
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
