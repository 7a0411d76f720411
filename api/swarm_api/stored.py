"""What `swarm login` has stored on this machine, as a shelf: a token, and perhaps an API key."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from swarm_api.addresses import Origin, origin
from swarm_api.config import HUB_FILE, BadConfig, config_file, data_folder, read_config
from swarm_api.errors import NotAuthenticated
from swarm_api.running import trusted_note

if TYPE_CHECKING:
    from swarm_api.credentials import Credentials

TOKEN, KEY = "orchestrator-jwt", "swarm-api-key"
_LOCK = "renewing.lock"


def home(environ: Mapping[str, str]) -> Origin | None:
    """The one hub that gets what is stored: the config's, else the one that runs here. Raises `BadConfig`."""
    if url := read_config(config_file(environ)).get("orchestratorUrl"):
        return origin(str(url))
    return origin(str(trusted_note(data_folder(environ) / HUB_FILE).get("url")))


class Stored:
    """For the hub at `url`, and empty as soon as what is stored is for another one.

    The credential store is imported when it is first asked: a keyring costs as much as all of `swarm status`.
    """

    def __init__(self, url: str, environ: Mapping[str, str]) -> None:
        self._origin = origin(url)
        self._environ = environ

    def token(self) -> str | None:
        return self._find(TOKEN)

    def spare(self) -> str | None:
        return self._find(KEY)

    def keep(self, token: str) -> None:
        from swarm_api.credentials import CredentialError

        try:
            if home(self._environ) == self._origin:
                self._credentials().store(TOKEN, token)
        except (CredentialError, BadConfig):
            pass  # this process has it, and the last one stays good until its end

    @contextmanager
    def alone(self) -> Iterator[None]:
        with alone(self._environ):
            yield

    def _find(self, name: str) -> str | None:
        from swarm_api.credentials import CredentialError

        try:
            found = self._credentials().find(name)
            # Asked afterwards: a login at another hub names that hub before it stores anything of its own.
            return found.value if found and home(self._environ) == self._origin else None
        except (CredentialError, BadConfig) as error:
            raise NotAuthenticated(str(error), code="credential_store") from error

    def _credentials(self) -> "Credentials":
        from swarm_api.credentials import Credentials

        return Credentials(self._environ, say)


def say(warning: str) -> None:
    sys.stderr.write(f"{warning}\n")


@contextmanager
def alone(environ: Mapping[str, str]) -> Iterator[None]:
    """Be the only one, among all processes, who changes what is stored for a hub.

    Where no lock can be had nobody waits: two processes may then renew the same token, and both new ones are good.
    """
    lock = _locked(config_file(environ).with_name(_LOCK))
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _locked(path: Path) -> int | None:
    try:
        import fcntl

        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except (ImportError, OSError):
        return None
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock
