"""`swarm login`: a token for this machine, made from an API key and stored."""

import asyncio
import getpass
import os
import platform
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated

import typer

from swarm_api.access import access, may_be_insecure
from swarm_api.addresses import keep_private, origin
from swarm_api.auth import TokenOut
from swarm_api.client import HubClient
from swarm_api.config import hub_url
from swarm_api.credentials import CredentialError
from swarm_api.credentials.formats import check as check_format
from swarm_api.errors import NotAuthenticated, SwarmError
from swarm_api.renewing import claims_of
from swarm_api.running import RunningHub
from swarm_api.stored import KEY, TOKEN, home
from swarm_cli.faults import INTERRUPTED, NOT_AUTHENTICATED, Fault, wrong_usage
from swarm_cli.keyboard import without_echo
from swarm_cli.look import moment_shown
from swarm_cli.options import Url
from swarm_cli.screen import Screen, safe, write
from swarm_cli.setup_changes import Changes, Made, make, warn

_LONGEST = 10_000  # bytes on stdin
_FROM_STDIN = "swarm login --key-stdin < FILE, or SWARM_API_KEY without a login"
_VARIABLES = ("SWARM_API_KEY", "SWARM_JWT")


def login(
    key_stdin: Annotated[
        bool, typer.Option("--key-stdin", "--with-key-stdin", help="Read the key from stdin, and ask nothing.")
    ] = False,
    store_key: Annotated[
        bool, typer.Option("--store-key", help="Keep the key too: it serves when the token has run out.")
    ] = False,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the hub knows this machine by (user@host).")
    ] = None,
    url: Url = None,
) -> None:
    """Exchange an API key for a token of this machine, and keep that. It is asked for, and not shown."""
    address = hub_url(url, os.environ)
    if not may_be_insecure(os.environ):
        keep_private(address)
    # Nothing that is stored for one hub is ever sent to another, so the config says whose this is.
    settings = {} if origin(address) == home(os.environ) else {"orchestratorUrl": address}
    key = _checked(_from_stdin() if key_stdin else _asked(address))
    token = asyncio.run(_exchange(address, key, device or _this_device(os.environ)))
    secrets = {TOKEN: token.token, **({KEY: key} if store_key else {})}
    try:
        made = make(Changes(settings, secrets), os.environ)
    except BaseException:
        asyncio.run(_give_back(address, token))
        raise
    _tell(address, token, made)
    _tell_what_wins(address, os.environ)


def _from_stdin() -> str:
    try:
        return sys.stdin.buffer.read(_LONGEST).decode().strip()
    except UnicodeDecodeError:
        raise wrong_usage("stdin is no text", hint=_FROM_STDIN) from None


def _asked(address: str) -> str:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise wrong_usage("the key is asked for on a terminal, and this is none", hint=_FROM_STDIN)
    try:
        with without_echo():  # before the question: who answers at once is not shown either
            sys.stderr.write(f"API key for {safe(address)} (not shown): ")
            sys.stderr.flush()
            line = sys.stdin.readline()
    except KeyboardInterrupt:
        raise Fault("stopped; nothing was changed", exit_code=INTERRUPTED) from None
    finally:
        write("", sys.stderr)
    return line.strip()


def _checked(key: str) -> str:
    """Raises a usage `Fault` that holds nothing of what was given: it may be another service's key."""
    try:
        check_format(KEY, key)
    except CredentialError as error:
        raise wrong_usage(str(error)) from None
    return key


async def _exchange(address: str, key: str, device: str) -> TokenOut:
    async with HubClient(address, insecure=may_be_insecure(os.environ)) as hub:
        try:
            return await hub.token(key, device)
        except NotAuthenticated as error:
            hint = "on a machine that is logged in, swarm keys create NAME makes one"
            raise Fault(f"{address}: {error.detail}", hint=hint, exit_code=NOT_AUTHENTICATED) from error


async def _give_back(address: str, token: TokenOut) -> None:
    """End a token that could not be kept. The error that kept it from being kept is the one to tell."""
    async with HubClient(address, token.token, insecure=may_be_insecure(os.environ)) as hub:
        with suppress(SwarmError):
            await hub.revoke()


def _this_device(environ: Mapping[str, str]) -> str:
    """User and host, in characters that mean nothing to anybody who shows or types them."""
    try:
        user = environ.get("USER") or getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        user = str(os.getuid())
    return re.sub(r"[^A-Za-z0-9._@-]+", "-", f"{user}@{platform.node() or 'localhost'}")[:100]


def _tell(address: str, token: TokenOut, made: Made) -> None:
    screen = Screen.of(sys.stdout, os.environ)
    claims = claims_of(token.token)
    who = safe(claims.sub) if claims else "its key"
    device = f" on {safe(str(claims.device))}" if claims and claims.device else ""
    write(f"{screen.paint('green', 'logged in')} at {safe(address)} as {screen.paint('bold', who)}{device}")
    write(f"may: {' '.join(token.scope)}")
    write(f"until {moment_shown(token.expires_at)}; while it is used it renews itself, up to the end of its key")
    write("\n".join(f"{name} is in the {place}" for name, place in made.stored.items()))
    for name in made.forgotten:
        warn(f"the {name} of another hub is no longer stored")


def _tell_what_wins(address: str, environ: Mapping[str, str]) -> None:
    for variable in _VARIABLES:
        if environ.get(variable):
            return warn(f"{variable} is set here, and wins")
    if isinstance(access(address, environ), RunningHub):
        warn("that hub runs on this machine: commands here go on as its own user, who may do everything")
    return None
