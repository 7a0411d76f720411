"""What is kept on this machine for commands: the config file, and the credentials."""

import shlex
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from swarm_api.config import BadConfig, config_file, read_config
from swarm_api.credentials import CredentialError, Credentials, Found
from swarm_api.credentials.formats import check as check_format
from swarm_cli import local_hub
from swarm_cli.check import Check, untrusted

ANTHROPIC = "anthropic-api-key"


def config_check(environ: Mapping[str, str]) -> Check:
    path = config_file(environ)
    try:
        settings = read_config(path)
        wide = _width(path)
    except (BadConfig, OSError) as error:
        return Check("config", "wrong", str(error), f"edit {path}")
    narrow = f"chmod 600 {shlex.quote(str(path))}"
    if wide & 0o022:
        found = f"{path}: others can change it, and so where credentials are sent (mode {wide:04o})"
        return Check("config", "wrong", found, narrow)
    if wide & 0o077:
        return Check("config", "note", f"{path}: others can read it (mode {wide:04o})", narrow)
    return Check("config", "ok", f"{path}, {len(settings)} set" if settings else f"none ({path})")


def _width(path: Path) -> int:
    """The mode; 0 where there is no file, or no such modes."""
    if sys.platform == "win32" or not path.exists():
        return 0
    return stat.S_IMODE(path.stat().st_mode)


def store_check(environ: Mapping[str, str], credentials: Credentials) -> Check:
    """Whether every place can be read, and what is kept in which."""
    try:
        origins = credentials.origins()
    except CredentialError as error:
        return untrusted("credentials", error)
    told = [f"{name} ({origin})" for name, origin in origins.items() if origin]
    if "plain file" in origins.values():
        plain = config_file(environ).parent / "credentials"
        return Check("credentials", "note", f"{', '.join(told)}: {plain} is not encrypted", "swarm setup")
    return Check("credentials", "ok", ", ".join(told) or "none stored, none in the environment")


def key_checks(environ: Mapping[str, str], credentials: Credentials) -> Iterator[Check]:
    """Whether a hub started here would have a key for its agents. Nobody is asked whether it is a good one."""
    if local_hub.simulates(environ) or local_hub.running_simulates(environ):
        yield Check("key", "ok", "simulated: no key needed")
        return
    try:
        yield _key(credentials.find(ANTHROPIC))
    except CredentialError:
        return  # told by `store_check`


def _key(found: Found | None) -> Check:
    if found is None:
        return Check("key", "note", "no Anthropic API key here", "swarm setup, or export ANTHROPIC_API_KEY=…")
    given = found.origin == "environment"
    place = "ANTHROPIC_API_KEY" if given else f"the {found.origin}"
    try:
        check_format(ANTHROPIC, found.value)
    except CredentialError as error:
        return Check("key", "note", f"from {place}; {error}", f"export another {place}" if given else "swarm setup")
    return Check("key", "ok", f"from {place}; a hub started here gets it")
