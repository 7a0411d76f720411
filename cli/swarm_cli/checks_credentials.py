"""What is kept on this machine for commands: the config file, and the credentials."""

import shlex
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from swarm_api.config import BadConfig, config_file, read_config
from swarm_api.credentials import CredentialError, Credentials
from swarm_api.credentials.formats import check as check_format
from swarm_cli import local_hub
from swarm_cli.check import Check

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
        return Check("credentials", "wrong", str(error))
    told = [f"{name} ({origin})" for name, origin in origins.items() if origin]
    if "plain file" in origins.values():
        plain = config_file(environ).parent / "credentials"
        mend = f"swarm setup stores them anew; then rm {shlex.quote(str(plain))}"
        return Check("credentials", "note", f"{', '.join(told)}: {plain} is not encrypted", mend)
    return Check("credentials", "ok", ", ".join(told) or "none stored, none in the environment")


def key_check(environ: Mapping[str, str], credentials: Credentials) -> Check:
    """Whether a hub started here would have a key for its agents. Nobody is asked whether it is a good one."""
    if local_hub.simulates(environ) or local_hub.running_simulates(environ):
        return Check("key", "ok", "simulated: no key needed")
    try:
        found = credentials.find(ANTHROPIC)
    except CredentialError as error:
        return Check("key", "wrong", str(error))
    if found is None:
        return Check("key", "note", "no Anthropic API key here", "swarm setup, or export ANTHROPIC_API_KEY=…")
    try:
        check_format(ANTHROPIC, found.value)
    except CredentialError as error:
        mend = "export another ANTHROPIC_API_KEY" if found.origin == "environment" else "swarm setup"
        return Check("key", "note", f"from {_place(found.origin)}; {error}", mend)
    return Check("key", "ok", f"from {_place(found.origin)}; a hub started here gets it")


def _place(origin: str) -> str:
    return "ANTHROPIC_API_KEY" if origin == "environment" else f"the {origin}"
