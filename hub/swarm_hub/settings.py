"""The hub's settings: read once from the environment, each with an exact error."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from platformdirs import user_data_dir

from swarm_api.addresses import is_loopback
from swarm_api.words import Runtime
from swarm_hub.settings_table import EVERY_NODES, LATER, NEEDED, SETTINGS, Setting
from swarm_hub.values import Network

UTC = ZoneInfo("UTC")
EXIT_CONFIG = 78  # sysexits.h: EX_CONFIG


class BadSetting(Exception):
    """A setting is missing or wrong. Its text is one line: the variable, what it was, what is allowed."""


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
