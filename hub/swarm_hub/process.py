"""The hub as a process: read the settings, take the data folder, serve until told to stop."""

import asyncio
import fcntl
import logging
import os
import resource
import socket
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from swarm_api.errors import StorageFailed
from swarm_api.redaction import Redactor
from swarm_api.redaction_output import RedactedOutput
from swarm_api.sandbox import SandboxUnavailable, try_bubblewrap
from swarm_api.sealing import blot
from swarm_hub.logs import configure
from swarm_hub.prices import BadPrices
from swarm_hub.redacted import credentials
from swarm_hub.serve import serve
from swarm_hub.settings import EXIT_CONFIG, BadSetting, Settings, read_settings
from swarm_hub.settings_table import SECRETS
from swarm_hub.store.database import DatabaseUnusable

USAGE = 64  # sysexits.h: EX_USAGE
EXIT_BUSY = 75  # sysexits.h: EX_TEMPFAIL
MOST_FILES = 65_536  # some programs of agents look at each number that could be one
log = logging.getLogger(__name__)


class CannotStart(Exception):
    """Its text is one line."""


def run(arguments: Sequence[str]) -> int:
    """0 after SIGTERM or SIGINT, 64 for arguments, 78 for settings that are wrong or cannot be met, 75 when something
    is busy or full."""
    if arguments:
        return _say(CannotStart(f"no arguments are taken, not {arguments[0]!r}; settings are variables"), USAGE)
    try:
        settings = _take_settings()
        _allow_connections()
        redactor = Redactor(credentials(settings))
        sys.stderr = RedactedOutput(sys.stderr, redactor)
        configure(settings.log_format, settings.log_level, redactor)
        _warn(settings)
        _try_sandbox(settings)
        loop = loop_factory()
        with (
            _data_folder(settings.data_dir),
            _listener(settings) as listener,
            asyncio.Runner(loop_factory=loop) as runner,
        ):
            runner.run(serve(settings, listener, redactor))
    except BadPrices as error:
        return _say(BadSetting(f"SWARM_PRICES: {error}"), EXIT_CONFIG)
    except (BadSetting, DatabaseUnusable) as error:
        return _say(error, EXIT_CONFIG)
    except (CannotStart, StorageFailed, OSError) as error:
        return _say(error, EXIT_BUSY)
    return 0


def _take_settings() -> Settings:
    """The settings; the secrets among them are no longer in the environment, which what is started here inherits."""
    settings = read_settings(os.environ)
    for variable in SECRETS:
        blot(variable)
        os.environ.pop(variable, None)
    return settings


def _try_sandbox(settings: Settings) -> None:
    """An agent that was to have a sandbox is never run without one: where there is none there is no hub."""
    if settings.local_sandbox == "none":
        return
    try:
        try_bubblewrap()
    except SandboxUnavailable as reason:
        raise BadSetting(f"LOCAL_SANDBOX is {settings.local_sandbox!r}, but {reason}; allowed here: none") from reason


def _allow_connections() -> None:
    """Each follower is an open file, and 1,024 of them is what systems usually begin with."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):  # macOS refuses more than the kernel's own limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _warn(settings: Settings) -> None:
    if not settings.on_loopback and not settings.trusted_proxies:
        log.warning(
            "HOST is %s and there are no TRUSTED_PROXIES: credentials travel in the clear on that network;"
            " put a proxy with https in front of the hub, and name it",
            settings.host,
        )


def _say(error: Exception, code: int) -> int:
    print(f"claude-swarm hub: {error}", file=sys.stderr)  # noqa: T201  # the one line a start that fails says
    return code


@contextmanager
def _data_folder(path: Path) -> Iterator[None]:
    """The folder, made when it is missing and ours alone while the hub runs."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_mode & stat.S_IWOTH:
            # What everybody can write to may hold links, and secrets that others know.
            raise BadSetting(
                f"SWARM_DATA_DIR is {str(path)!r}, which everybody can write to; allowed: a folder of yours"
            )
        descriptor = os.open(path / "hub.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise BadSetting(f"SWARM_DATA_DIR is {str(path)!r}, which cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(f"another hub uses the data folder {path}") from error
        yield


@contextmanager
def _listener(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Without the protocol's number asyncio does not turn off Nagle's algorithm, and each answer takes 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
            listener.listen(2048)
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise CannotStart(f"cannot listen on {where}: {error.strerror}; set PORT to another") from error
        yield listener


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
