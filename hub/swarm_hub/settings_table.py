"""The table of settings: each variable, its default, what it means, and what it may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarm_api.words import EXECUTORS
from swarm_hub import values

EVERY_NODES = Path("/tmp")  # noqa: S108  # nosec B108  # the one folder that every node of a cluster has
LATER = frozenset({"DATABASE_URL", "REDIS_URL"})
"""Settings of the contract that this version does not have yet: set, they stop the start instead of being ignored."""


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
