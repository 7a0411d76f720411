"""Where the hub is: `--url`, `SWARM_URL`, the config file, the note a running local hub leaves, or `HOST` and `PORT`.

Imports next to nothing, for `swarm status` has 60 ms. Nothing here reads a secret.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from swarm_api.running import trusted_note

DEFAULT_URL = "http://127.0.0.1:3000"
_BLANK = re.compile(r"[\x00-\x20\x7f\\]")  # which one library strips from an address, and another ends it at
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
HUB_FILE = "hub.json"

EXECUTORS = ("local", "fly", "azure", "slurm")
PRIORITIES = ("high", "normal", "low")


class BadConfig(Exception):
    """A setting that cannot be used. The message names where it stands, what it is and what is allowed."""


class Running(NamedTuple):
    """The note a hub leaves in its data folder while it runs. `start_time` tells a reused pid from the hub's own."""

    pid: int
    start_time: float
    url: str
    version: str


def config_file(environ: Mapping[str, str]) -> Path:
    """`~/.config/claude-swarm/config.json`, on every platform (`XDG_CONFIG_HOME` moves it)."""
    home = Path(environ.get("HOME") or Path.home())
    root = environ.get("XDG_CONFIG_HOME", "")
    # The XDG specification says to ignore a relative path.
    return (Path(root) if root.startswith("/") else home / ".config") / "claude-swarm" / "config.json"


def data_folder(environ: Mapping[str, str]) -> Path:
    """The hub's data folder on this machine: `SWARM_DATA_DIR`, or the platform's folder for data."""
    if folder := environ.get("SWARM_DATA_DIR"):
        return Path(folder).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("claude-swarm", appauthor=False)


def hub_url(flag: str | None, environ: Mapping[str, str]) -> str:
    """The hub's address, without a slash at its end. Raises `BadConfig`."""
    if flag is not None:
        return checked_url(flag, "--url")
    if value := environ.get("SWARM_URL"):
        return checked_url(value, "SWARM_URL")
    if value := read_config(config_file(environ)).get("orchestratorUrl"):
        return str(value)
    return local_url(environ)


def local_url(environ: Mapping[str, str]) -> str:
    """Where the hub of this data folder is, or will be. Raises `BadConfig`."""
    running = read_running(data_folder(environ))
    return running.url if running else _url_to_come(environ)


def _url_to_come(environ: Mapping[str, str]) -> str:
    """Where a hub that is started with these variables listens."""
    port = environ.get("PORT") or "3000"
    if not (port.isascii() and port.isdigit() and len(port) < 10 and int(port) <= 65_535):
        raise BadConfig(f"PORT is {port!r}; allowed: a whole number from 0 to 65535")
    if int(port) == 0:  # it takes any
        return DEFAULT_URL
    host = environ.get("HOST", "")
    if host not in _LOOPBACK:  # some shells set it to the machine's name
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def checked_url(value: str, where: str) -> str:
    """Raises `BadConfig` for what is no address of a hub."""
    try:
        url = urlsplit(value)
        host, _port = url.hostname, url.port
    except ValueError:
        host = None
    if host is None or url.scheme not in ("http", "https") or _BLANK.search(value):
        raise BadConfig(f"{where}: {value!r} is no address of a hub; it looks like {DEFAULT_URL}")
    if url.username is not None or url.query or url.fragment:
        raise BadConfig(f"{where}: the address must hold no user, query or fragment; it looks like {DEFAULT_URL}")
    return value.rstrip("/")


def read_running(data: Path) -> Running | None:
    """The note in a data folder, or None when there is none of ours that can be read. The hub it names may be gone."""
    try:
        note = trusted_note(data / HUB_FILE)
        return Running(int(note["pid"]), float(note["startTime"]), str(note["url"]), str(note["version"]))
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def read_config(path: Path) -> dict[str, Any]:
    """The settings in a config file; none when there is no file. Raises `BadConfig`, which names file and field."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadConfig(f"{path}: {error.strerror}") from None
    config = _parse(path, content)
    for name, value in config.items():
        check(name, value, f"{path}: ")
    return config


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        config = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadConfig(f"{path}: byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadConfig(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except (ValueError, RecursionError):
        raise BadConfig(f"{path}: numbers too long, or nested too deeply") from None
    if not isinstance(config, dict):
        raise BadConfig(f"{path}: must be a JSON object of settings, not {type(config).__name__}")
    return config


_TEXT = (
    "flyAppName", "flyRegion", "flyContainerImage", "azureSubscriptionId", "azureResourceGroup",
    "containerAppsEnvironment", "agentJobName",
)  # fmt: skip
_CHOICES = {"executorType": EXECUTORS, "defaultPriority": PRIORITIES}
NUMBERS = ("defaultBudgetCents", "defaultTimeoutMinutes")
FIELDS = ("executorType", "orchestratorUrl", *_TEXT, "defaultModel", "defaultPriority", *NUMBERS)

_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,500}")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,127}")  # as in a task


def check(name: str, value: Any, where: str = "") -> None:
    """Raises `BadConfig` for a setting that is not known, or that cannot have this value; `where` goes before it."""
    if name not in FIELDS:
        raise BadConfig(f"{where}unknown setting {name!r}; known are {', '.join(sorted(FIELDS))}")
    if name == "orchestratorUrl" and isinstance(value, str):
        checked_url(value, f"{where}orchestratorUrl")
    elif allowed := _not_met(name, value):
        raise BadConfig(f"{where}{name}: must be {allowed}, not {value!r}")


def _not_met(name: str, value: Any) -> str:
    """What the setting must be, when the value is not."""
    if name in NUMBERS:
        return _no_number(name, value)
    if not isinstance(value, str):
        return "text"
    if name in _CHOICES:
        return "" if value in _CHOICES[name] else f"one of {', '.join(_CHOICES[name])}"
    if name == "defaultModel":
        return "" if _MODEL.fullmatch(value) else "opus, sonnet, haiku or a full model id"
    return "" if _LINE.fullmatch(value) else "text on one line"


def _no_number(name: str, value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == "defaultTimeoutMinutes":
        return "" if number and 0.01 <= value <= 10_080 else "a number from 0.01 to 10080"
    return "" if number and isinstance(value, int) and 0 <= value < 2**53 else "a whole number from 0"
