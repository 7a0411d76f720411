"""Changes of settings and secrets that belong together: all of them are made, or none."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from swarm_api.addresses import origin
from swarm_api.config import BadConfig, config_file, local_url, read_config
from swarm_api.config_file import change_config
from swarm_api.credentials import VARIABLES, CredentialError, Credentials, Found
from swarm_api.stored import alone
from swarm_cli.screen import Screen, safe, write

SECRETS = {
    "anthropicApiKey": "anthropic-api-key", "flyApiToken": "fly-api-token", "githubToken": "github-token",
    "swarmApiKey": "swarm-api-key", "orchestratorJwt": "orchestrator-jwt",
}  # fmt: skip
"""The secrets by the names they have among the config's fields."""

OF_THE_HUB = ("orchestrator-jwt", "swarm-api-key")
"""Those that belong to the address in `orchestratorUrl`, and are sent nowhere else."""


class Changes(NamedTuple):
    """Settings by field, secrets by name. None takes away."""

    settings: Mapping[str, Any]
    secrets: Mapping[str, str | None]


class Made(NamedTuple):
    """`stored`: where each new secret went. `forgotten`: what was stored for the hub that was left."""

    stored: Mapping[str, str]
    forgotten: tuple[str, ...]


def stored_credentials(environ: Mapping[str, str]) -> Credentials:
    """The store without the variables that hide it."""
    return Credentials({name: value for name, value in environ.items() if name not in VARIABLES.values()}, warn)


def warn(text: str) -> None:
    screen = Screen.of(sys.stderr, os.environ)
    write(f"{screen.paint('yellow', 'warning:')} {safe(text)}", sys.stderr)


def make(changes: Changes, environ: Mapping[str, str]) -> Made:
    """Raises `BadConfig`, `CredentialError` or `OSError`, with everything as it was."""
    with alone(environ):  # or a token that is just being renewed would come back
        return _make(changes, environ, stored_credentials(environ))


def _make(changes: Changes, environ: Mapping[str, str], credentials: Credentials) -> Made:
    left = OF_THE_HUB if _moves(changes.settings, environ) else ()
    secrets = {**dict.fromkeys(left), **changes.secrets}
    before = {name: credentials.find(name) for name in secrets}
    with _undone_on_failure(changes, before, credentials, environ):
        # In this order, so that no credential is ever stored beside the address of another hub.
        for name in dict.fromkeys((*left, *(name for name, value in secrets.items() if value is None))):
            credentials.forget(name)
        if changes.settings:
            change_config(config_file(environ), changes.settings)
        stored = {name: credentials.store(name, value) for name, value in secrets.items() if value is not None}
    return Made(stored, tuple(name for name in left if before[name]))


def _moves(settings: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether the hub is at another origin afterwards."""
    if "orchestratorUrl" not in settings:
        return False
    here = local_url(environ)
    before = read_config(config_file(environ)).get("orchestratorUrl") or here
    return origin(before) != origin(settings["orchestratorUrl"] or here)


@contextmanager
def _undone_on_failure(
    changes: Changes, before: Mapping[str, Found | None], credentials: Credentials, environ: Mapping[str, str]
) -> Iterator[None]:
    path = config_file(environ)
    config = read_config(path)
    try:
        yield
    except BaseException:  # ctrl-C too
        with suppress(BadConfig, OSError):
            change_config(path, {name: config.get(name) for name in changes.settings})
        for name, found in before.items():
            with suppress(CredentialError):
                credentials.store(name, found.value) if found else credentials.forget(name)
        raise
