"""The hub's settings: read once from the environment, each with an exact error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from platformdirs import user_data_dir

from swarm_api.addresses import is_loopback
from swarm_api.words import Runtime
from swarm_hub import values
from swarm_hub.values import Network

UTC = ZoneInfo("UTC")
EXIT_CONFIG = 78  # sysexits.h: EX_CONFIG

LATER = frozenset({
    "DATABASE_URL", "REDIS_URL", "GITHUB_TOKEN",
    "FLY_API_TOKEN", "FLY_APP_NAME", "FLY_REGION", "FLY_FALLBACK_REGIONS", "FLY_CONTAINER_IMAGE", "FLY_FLAPS_BASE_URL",
    "FLY_LOGS_BASE_URL", "AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "CONTAINER_APPS_ENVIRONMENT",
    "AGENT_JOB_NAME", "AZURE_CONTAINER_IMAGE", "AZURE_MANAGEMENT_URL", "SLURM_REST_URL", "SLURM_API_VERSION",
    "SLURM_PARTITION", "SLURM_USER", "SLURM_JWT",
})  # fmt: skip
"""Settings of the contract that this version does not have yet: set, they stop the start instead of being ignored."""


class BadSetting(Exception):
    """A setting is missing or wrong. Its text is one line: the variable, what it was, what is allowed."""


@dataclass(frozen=True)
class Setting:
    """A row of the table of settings. `parse` raises `ValueError` with what is allowed."""

    variable: str
    default: str
    meaning: str
    parse: Callable[[str], Any]
    secret: bool = False


SETTINGS: dict[str, Setting] = {
    "host": Setting(
        "HOST", "127.0.0.1", "address to listen on; beyond loopback only with a `JWT_SECRET`", values.address
    ),
    "port": Setting(
        "PORT",
        "3000",
        "port to listen on; `0` takes a free one, where workers of an earlier run do not find it",
        values.whole(0, 65_535),
    ),
    "public_url": Setting(
        "PUBLIC_URL",
        "http://HOST:PORT",
        "how others reach the hub; workers on its machine do where it listens",
        values.url,
    ),
    "jwt_secret": Setting(
        "JWT_SECRET",
        "made, kept in the data folder",
        "signs tokens, ≥ 32 bytes; two, comma separated, to rotate: the first one signs",
        values.secrets,
        secret=True,
    ),
    "jwt_ttl_seconds": Setting("JWT_TTL_SECONDS", "604800", "how long a token lives", values.whole(60, 31_536_000)),
    "bootstrap_key": Setting(
        "SWARM_BOOTSTRAP_KEY",
        "–",
        "an admin API key, `sk_swarm_<id>_<secret>`, for a hub that is deployed",
        values.api_key,
        secret=True,
    ),
    "allowed_origins": Setting(
        "ALLOWED_ORIGINS", "none", "whose web pages may use the hub, comma separated", values.origins
    ),
    "trusted_proxies": Setting(
        "TRUSTED_PROXIES",
        "none",
        "whose `X-Forwarded-*` counts, comma separated; behind them plain http is refused",
        values.networks,
    ),
    "data_dir": Setting("SWARM_DATA_DIR", "the platform's", "database, logs, worktrees, sessions", values.folder),
    "journal_days": Setting(
        "SWARM_JOURNAL_DAYS",
        "90",
        "days that events stay in the database, where streams resume; then they are archived as Parquet; `0`: all stay",
        values.whole(0, 36_500),
    ),
    "repo_roots": Setting(
        "SWARM_REPO_ROOTS",
        "your home, on loopback",
        "folders, comma separated, below which a task may name a repository; elsewhere only `admin` may",
        values.folders,
    ),
    "executor_type": Setting("EXECUTOR_TYPE", "local", "where agents run: `local`", values.one_of("local")),
    "simulate": Setting(
        "SIMULATE_MODE", "false", "`true`: agents are simulated: no model, no cost, real worktrees", values.truth
    ),
    "runtime": Setting(
        "SWARM_RUNTIME",
        "claude",
        "`scripted` is for tests: the prompt is the script",
        values.one_of("claude", "scripted"),
    ),
    "local_sandbox": Setting(
        "LOCAL_SANDBOX",
        "none",
        "`bubblewrap`: local agents see their worktree and little else (Linux)",
        values.one_of("none", "bubblewrap"),
    ),
    "local_sandbox_network": Setting(
        "LOCAL_SANDBOX_NETWORK",
        "hub",
        "what agents in a sandbox reach: `hub` and model alone, or `all`",
        values.one_of("hub", "all"),
    ),
    "max_parallel_agents": Setting("MAX_PARALLEL_AGENTS", "20", "agents that may run at once", values.whole(1, 10_000)),
    "default_timeout_minutes": Setting(
        "DEFAULT_TIMEOUT_MINUTES", "60", "for tasks that give no timeout", values.minutes
    ),
    "time_zone": Setting("TIME_ZONE", "UTC", "whose days and weeks (from Monday) budgets and metrics use", values.zone),
    "daily_budget_cents": Setting(
        "DAILY_BUDGET_CENTS", "10000", "what all agents together may spend on the model in a day", values.cents
    ),
    "weekly_budget_cents": Setting("WEEKLY_BUDGET_CENTS", "50000", "and in a week", values.cents),
    "default_task_budget_cents": Setting(
        "DEFAULT_TASK_BUDGET_CENTS", "500", "for tasks that give no budget", values.cents
    ),
    "prices": Setting(
        "SWARM_PRICES", "none", "a price table of your own, which has the say over the one inside", values.folder
    ),
    "anthropic_key_mode": Setting(
        "ANTHROPIC_KEY_MODE",
        "gateway",
        "`gateway`: agents call the model through the hub and hold no key; `inject`: they are given it",
        values.one_of("gateway", "inject"),
    ),
    "anthropic_api_key": Setting(
        "ANTHROPIC_API_KEY", "–", "the key agents call the model with", values.key, secret=True
    ),
    "anthropic_base_url": Setting(
        "ANTHROPIC_BASE_URL", "Anthropic's", "another endpoint of the model's API", values.url
    ),
    "otlp_endpoint": Setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "none: no traces",
        "a collector of OpenTelemetry's (OTLP by HTTP), which is told each task as a trace",
        values.url,
    ),
    "otlp_headers": Setting(
        "OTEL_EXPORTER_OTLP_HEADERS", "none", "what that asks for, as `name=value,…`", values.headers, secret=True
    ),
    "log_format": Setting(
        "LOG_FORMAT", "text on a terminal, else json", "`text` or `json`", values.one_of("text", "json")
    ),
    "log_level": Setting("LOG_LEVEL", "info", "from here on up", values.one_of("debug", "info", "warning", "error")),
}


SECRETS = tuple(setting.variable for setting in SETTINGS.values() if setting.secret)


@dataclass(frozen=True)
class Settings:
    host: str = "127.0.0.1"
    port: int = 3000
    public_url: str | None = None
    jwt_secret: tuple[str, ...] = ()
    jwt_ttl_seconds: int = 604_800
    bootstrap_key: str | None = None
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    data_dir: Path = Path()
    journal_days: int = 90
    repo_roots: tuple[Path, ...] = ()  # none: only `admin` may name a local repository
    executor_type: str = "local"
    simulate: bool = False
    runtime: Literal["claude", "scripted"] = "claude"
    local_sandbox: Literal["none", "bubblewrap"] = "none"
    local_sandbox_network: Literal["hub", "all"] = "hub"
    max_parallel_agents: int = 20
    default_timeout_minutes: float = 60
    time_zone: ZoneInfo = UTC
    daily_budget_cents: int = 10_000
    weekly_budget_cents: int = 50_000
    default_task_budget_cents: int = 500
    prices: Path | None = None
    anthropic_key_mode: Literal["gateway", "inject"] = "gateway"
    anthropic_api_key: str | None = None
    anthropic_base_url: str | None = None
    otlp_endpoint: str | None = None
    otlp_headers: Mapping[str, str] = field(default_factory=dict)
    log_format: Literal["text", "json"] | None = None
    log_level: str = "info"

    @property
    def on_loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def metered(self) -> bool:
        """Whether what agents use is counted by the gateway, and not by what they say."""
        return self.agent_runtime == "claude" and self.anthropic_key_mode == "gateway"

    @property
    def agent_runtime(self) -> Runtime:
        return "simulated" if self.simulate else self.runtime


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment. An empty variable counts as unset. Raises `BadSetting`."""
    for variable in sorted(LATER & environ.keys()):
        if environ[variable]:
            raise BadSetting(f"{variable} is set, but this version does not support it yet (not_supported); unset it")
    given: dict[str, Any] = {"data_dir": Path(user_data_dir("claude-swarm"))}
    for name, setting in SETTINGS.items():
        if text := environ.get(setting.variable, ""):
            given[name] = _parse(setting, text)
    settings = Settings(**given)
    if settings.on_loopback:
        return settings if settings.repo_roots else replace(settings, repo_roots=(Path.home(),))
    if not settings.jwt_secret:
        raise BadSetting(
            f"HOST is {settings.host!r}, which other machines reach, without a JWT_SECRET; allowed: both, or loopback"
        )
    return settings


def _parse(setting: Setting, text: str) -> Any:
    try:
        return setting.parse(text)
    except ValueError as error:
        hidden = setting.secret or "@" in text  # a URL may hold a password
        was = "set to something else" if hidden else repr(text)
        raise BadSetting(f"{setting.variable} is {was}; allowed: {error}") from None
