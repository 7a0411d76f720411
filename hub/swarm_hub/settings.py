"""The hub's settings: read once from the environment, each with an exact error."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_dir

from swarm_api.ids import API_KEY
from swarm_api.words import Runtime

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
EXIT_CONFIG = 78  # sysexits.h: EX_CONFIG

LATER = frozenset({
    "TIME_ZONE", "DATABASE_URL", "REDIS_URL", "GITHUB_TOKEN",
    "FLY_API_TOKEN", "FLY_APP_NAME", "FLY_REGION", "FLY_FALLBACK_REGIONS", "FLY_CONTAINER_IMAGE", "FLY_FLAPS_BASE_URL",
    "FLY_LOGS_BASE_URL", "AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "CONTAINER_APPS_ENVIRONMENT",
    "AGENT_JOB_NAME", "AZURE_CONTAINER_IMAGE", "AZURE_MANAGEMENT_URL", "SLURM_REST_URL", "SLURM_API_VERSION",
    "SLURM_PARTITION", "SLURM_USER", "SLURM_JWT", "DAILY_BUDGET_CENTS", "WEEKLY_BUDGET_CENTS",
    "DEFAULT_TASK_BUDGET_CENTS",
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


def _address(text: str) -> str:
    if text != "localhost":
        try:
            ipaddress.ip_address(text)
        except ValueError:
            raise ValueError("an IP address of this machine, or localhost") from None
    return text


def _secrets(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    if len(parts) > 2 or any(len(part.encode()) < 32 or part != part.strip() for part in parts):
        raise ValueError("a secret of at least 32 bytes; or two, comma separated: the first one signs")
    return parts


def _api_key(text: str) -> str:
    if not API_KEY.fullmatch(text):
        raise ValueError("sk_swarm_<id>_<secret>, id 6 to 16 of a-z0-9, secret 32 to 43 of A-Za-z0-9")
    return text


def _origins(text: str) -> tuple[str, ...]:
    return tuple(_origin(part.strip()) for part in text.split(","))


def _origin(text: str) -> str:
    allowed = "origins, comma separated, each as a browser sends it: https://host or https://host:port"
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        raise ValueError(allowed) from None
    netloc = (f"[{host}]" if host and ":" in host else host or "") + (f":{port}" if port else "")
    if url.scheme not in ("http", "https") or not host or text.lower() != f"{url.scheme}://{netloc}":
        raise ValueError(allowed)
    return text.lower()


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(","))
    except ValueError:
        raise ValueError("addresses or networks, comma separated: 10.0.0.7, 172.16.0.0/12, fdaa::/16") from None


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def _minutes(text: str) -> float:
    if not re.fullmatch(r"\d{1,5}(\.\d{1,4})?", text) or not 0.01 <= float(text) <= 10_080:
        raise ValueError("a number of minutes from 0.01 to 10080")
    return float(text)


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError("one of " + ", ".join(words))
        return text

    return parse


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError("true or false")
    return text.lower() in ("true", "1")


def _url(text: str) -> str:
    allowed = "an http or https URL without credentials, query or fragment"
    try:
        url = urlsplit(text)
        host, _port = url.hostname, url.port
    except ValueError:
        raise ValueError(allowed) from None
    if url.scheme not in ("http", "https") or not host or "@" in url.netloc or "?" in text or "#" in text:
        raise ValueError(allowed)
    return text.rstrip("/")


def _folder(text: str) -> Path:
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # `~somebody` whom this machine does not know
        path = Path(text)
    if not path.is_absolute():
        raise ValueError("an absolute path")
    return path


def _folders(text: str) -> tuple[Path, ...]:
    return tuple(_folder(part.strip()) for part in text.split(","))


def _key(text: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{1,512}", text):
        raise ValueError("the key alone: printable characters, no spaces")
    return text


SETTINGS: dict[str, Setting] = {
    "host": Setting("HOST", "127.0.0.1", "address to listen on; beyond loopback only with a `JWT_SECRET`", _address),
    "port": Setting(
        "PORT",
        "3000",
        "port to listen on; `0` takes a free one, where workers of an earlier run do not find it",
        _whole(0, 65_535),
    ),
    "public_url": Setting("PUBLIC_URL", "http://HOST:PORT", "how workers reach the hub", _url),
    "jwt_secret": Setting(
        "JWT_SECRET",
        "made, kept in the data folder",
        "signs tokens, ≥ 32 bytes; two, comma separated, to rotate: the first one signs",
        _secrets,
        secret=True,
    ),
    "jwt_ttl_seconds": Setting("JWT_TTL_SECONDS", "604800", "how long a token lives", _whole(60, 31_536_000)),
    "bootstrap_key": Setting(
        "SWARM_BOOTSTRAP_KEY",
        "–",
        "an admin API key, `sk_swarm_<id>_<secret>`, for a hub that is deployed",
        _api_key,
        secret=True,
    ),
    "allowed_origins": Setting("ALLOWED_ORIGINS", "none", "whose web pages may use the hub, comma separated", _origins),
    "trusted_proxies": Setting(
        "TRUSTED_PROXIES",
        "none",
        "whose `X-Forwarded-*` counts, comma separated; behind them plain http is refused",
        _networks,
    ),
    "data_dir": Setting("SWARM_DATA_DIR", "the platform's", "database, logs, worktrees, sessions", _folder),
    "repo_roots": Setting(
        "SWARM_REPO_ROOTS", "your home", "folders, comma separated, below which a task may name a repository", _folders
    ),
    "executor_type": Setting("EXECUTOR_TYPE", "local", "where agents run: `local`", _one_of("local")),
    "simulate": Setting(
        "SIMULATE_MODE", "false", "`true`: agents are simulated: no model, no cost, real worktrees", _truth
    ),
    "runtime": Setting(
        "SWARM_RUNTIME", "claude", "`scripted` is for tests: the prompt is the script", _one_of("claude", "scripted")
    ),
    "local_sandbox": Setting(
        "LOCAL_SANDBOX",
        "none",
        "`bubblewrap`: local agents see their worktree and little else (Linux)",
        _one_of("none", "bubblewrap"),
    ),
    "local_sandbox_network": Setting(
        "LOCAL_SANDBOX_NETWORK",
        "hub",
        "what agents in a sandbox reach: `hub` and model alone, or `all`",
        _one_of("hub", "all"),
    ),
    "max_parallel_agents": Setting("MAX_PARALLEL_AGENTS", "20", "agents that may run at once", _whole(1, 10_000)),
    "default_timeout_minutes": Setting("DEFAULT_TIMEOUT_MINUTES", "60", "for tasks that give no timeout", _minutes),
    "anthropic_key_mode": Setting(
        "ANTHROPIC_KEY_MODE", "inject", "`inject`: the key travels in the work order to the runtime", _one_of("inject")
    ),
    "anthropic_api_key": Setting("ANTHROPIC_API_KEY", "–", "the key agents call the model with", _key, secret=True),
    "anthropic_base_url": Setting("ANTHROPIC_BASE_URL", "Anthropic's", "another endpoint of the model's API", _url),
    "log_format": Setting("LOG_FORMAT", "text on a terminal, else json", "`text` or `json`", _one_of("text", "json")),
    "log_level": Setting("LOG_LEVEL", "info", "from here on up", _one_of("debug", "info", "warning", "error")),
}


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
    repo_roots: tuple[Path, ...] = ()
    executor_type: str = "local"
    simulate: bool = False
    runtime: Literal["claude", "scripted"] = "claude"
    local_sandbox: Literal["none", "bubblewrap"] = "none"
    local_sandbox_network: Literal["hub", "all"] = "hub"
    max_parallel_agents: int = 20
    default_timeout_minutes: float = 60
    anthropic_key_mode: str = "inject"
    anthropic_api_key: str | None = None
    anthropic_base_url: str | None = None
    log_format: Literal["text", "json"] | None = None
    log_level: str = "info"

    @property
    def on_loopback(self) -> bool:
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback

    @property
    def agent_runtime(self) -> Runtime:
        return "simulated" if self.simulate else self.runtime


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment. An empty variable counts as unset. Raises `BadSetting`."""
    for variable in sorted(LATER & environ.keys()):
        if environ[variable]:
            raise BadSetting(f"{variable} is set, but this version does not support it yet (not_supported); unset it")
    values: dict[str, Any] = {"data_dir": Path(user_data_dir("claude-swarm")), "repo_roots": (Path.home(),)}
    for name, setting in SETTINGS.items():
        if text := environ.get(setting.variable, ""):
            values[name] = _parse(setting, text)
    settings = Settings(**values)
    if not settings.on_loopback and not settings.jwt_secret:
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
