"""The hub's settings: read once from the environment, each with an exact error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from platformdirs import user_data_dir

from swarm_api.addresses import is_loopback
from swarm_api.words import EXECUTORS, Runtime
from swarm_hub import values
from swarm_hub.values import Network

UTC = ZoneInfo("UTC")
EVERY_NODES = Path("/tmp")  # noqa: S108  # nosec B108  # the one folder that every node of a cluster has
EXIT_CONFIG = 78  # sysexits.h: EX_CONFIG

LATER = frozenset({"DATABASE_URL", "REDIS_URL"})
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
    "executor_type": Setting(
        "EXECUTOR_TYPE",
        "local",
        "where agents run: `local`, `fly`, `azure`, `slurm`; the last three reach the hub by `PUBLIC_URL`",
        values.one_of(*EXECUTORS),
    ),
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
    "github_token": Setting(
        "GITHUB_TOKEN",
        "–",
        "with which the hub fetches, pushes and opens pull requests at GitHub",
        values.key,
        secret=True,
    ),
    "github_url": Setting(
        "GITHUB_API_URL", "https://api.github.com", "of GitHub Enterprise: `https://HOST/api/v3`", values.url
    ),
    "fly_api_token": Setting(
        "FLY_API_TOKEN",
        "–",
        "opens the app whose machines are workers (`fly tokens create deploy`)",
        values.token,
        secret=True,
    ),
    "fly_app_name": Setting("FLY_APP_NAME", "–", "the app of the workers", values.name),
    "fly_region": Setting("FLY_REGION", "ord", "where their machines are, if there is room", values.name),
    "fly_fallback_regions": Setting("FLY_FALLBACK_REGIONS", "iad,sjc", "and where if not, in this order", values.names),
    "fly_container_image": Setting("FLY_CONTAINER_IMAGE", "–", "the workers' image", values.image),
    "fly_flaps_base_url": Setting(
        "FLY_FLAPS_BASE_URL", "https://api.machines.dev", "another endpoint of the Machines API", values.url
    ),
    "fly_logs_base_url": Setting(
        "FLY_LOGS_BASE_URL", "https://api.fly.io", "where the machines' logs are read", values.url
    ),
    "azure_subscription_id": Setting("AZURE_SUBSCRIPTION_ID", "–", "of the job of the workers", values.name),
    "azure_resource_group": Setting("AZURE_RESOURCE_GROUP", "–", "and its group", values.name),
    "azure_environment": Setting(
        "CONTAINER_APPS_ENVIRONMENT", "–", "the environment of the job, for `swarm setup`", values.name
    ),
    "azure_job_name": Setting("AGENT_JOB_NAME", "–", "the Container Apps job of the workers", values.name),
    "azure_container_image": Setting("AZURE_CONTAINER_IMAGE", "–", "the workers' image", values.image),
    "azure_management_url": Setting(
        "AZURE_MANAGEMENT_URL", "https://management.azure.com", "another endpoint of Azure's", values.url
    ),
    "slurm_rest_url": Setting(
        "SLURM_REST_URL", "–", "slurmrestd: a URL, or `unix:` and the path of its socket", values.url_or_socket
    ),
    "slurm_api_version": Setting("SLURM_API_VERSION", "v0.0.38", "the version of its API", values.slurm_version),
    "slurm_partition": Setting("SLURM_PARTITION", "the default one", "where the workers' jobs go", values.name),
    "slurm_user": Setting("SLURM_USER", "–", "whose jobs they are, where there is a token", values.name),
    "slurm_worker": Setting(
        "SLURM_WORKER", "swarm-worker", "the workers' program on the nodes: a path, or a name on theirs", values.program
    ),
    "slurm_folder": Setting(
        "SLURM_FOLDER", str(EVERY_NODES), "a folder of each node, for what workers print", values.folder
    ),
    "slurm_jwt": Setting("SLURM_JWT", "–", "the token (`scontrol token`)", values.token, secret=True),
    "drain_seconds": Setting(
        "SWARM_DRAIN_SECONDS",
        "0",
        "how long a hub that is told to stop goes on serving agents that run; it starts no others",
        values.whole(0, 86_400),
    ),
    "log_format": Setting(
        "LOG_FORMAT", "text on a terminal, else json", "`text` or `json`", values.one_of("text", "json")
    ),
    "log_level": Setting("LOG_LEVEL", "info", "from here on up", values.one_of("debug", "info", "warning", "error")),
}


NEEDED: Mapping[str, tuple[str, ...]] = {
    "local": (),
    "fly": ("fly_api_token", "fly_app_name", "fly_container_image"),
    "azure": ("azure_subscription_id", "azure_resource_group", "azure_job_name", "azure_container_image"),
    "slurm": ("slurm_rest_url",),
}
"""What each executor cannot do without."""
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
    drain_seconds: int = 0
    github_token: str | None = None
    github_url: str = "https://api.github.com"
    fly_api_token: str | None = None
    fly_app_name: str | None = None
    fly_region: str = "ord"
    fly_fallback_regions: tuple[str, ...] = ("iad", "sjc")
    fly_container_image: str | None = None
    fly_flaps_base_url: str = "https://api.machines.dev"
    fly_logs_base_url: str = "https://api.fly.io"
    azure_subscription_id: str | None = None
    azure_resource_group: str | None = None
    azure_environment: str | None = None
    azure_job_name: str | None = None
    azure_container_image: str | None = None
    azure_management_url: str = "https://management.azure.com"
    slurm_rest_url: str | None = None
    slurm_api_version: str = "v0.0.38"
    slurm_partition: str | None = None
    slurm_user: str | None = None
    slurm_worker: str = "swarm-worker"
    slurm_folder: Path = EVERY_NODES
    slurm_jwt: str | None = None
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

    def has(self, executor: str) -> bool:
        """Whether agents could run there."""
        return not self.missing(executor)

    def missing(self, executor: str) -> list[str]:
        """The variables that an executor still needs."""
        remote = () if executor == "local" else ("public_url",)
        return [SETTINGS[name].variable for name in (*NEEDED[executor], *remote) if getattr(self, name) is None]

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
    if missing := settings.missing(settings.executor_type):
        raise BadSetting(
            f"EXECUTOR_TYPE is {settings.executor_type!r}, but {missing[0]} is not set; allowed: both, or local"
        )
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
