"""`swarm logout`: the end of what `swarm login` has stored."""

import asyncio
import os
from collections.abc import Mapping
from typing import Annotated

import typer

from swarm_api.access import access, may_be_insecure
from swarm_api.addresses import origin
from swarm_api.client import HubClient
from swarm_api.config import hub_url
from swarm_api.credentials import VARIABLES
from swarm_api.errors import NotAuthenticated, SwarmError
from swarm_api.renewing import claims_of
from swarm_api.source import Fixed, Source
from swarm_api.stored import KEY, TOKEN, home
from swarm_cli.faults import NOT_AUTHENTICATED, Fault
from swarm_cli.look import moment_of, moment_shown
from swarm_cli.screen import safe, write
from swarm_cli.setup_changes import Changes, make, stored_credentials, warn

_OF_THE_HUB = ("SWARM_URL", "SWARM_API_KEY", "SWARM_JWT")


def logout(
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="End all tokens that your key has on this device.")
    ] = None,
) -> None:
    """End this machine's token, at the hub and here. An API key is only forgotten: `swarm keys revoke` ends one."""
    if device is not None:
        return _end_device(device)
    environ = _plain(os.environ)
    store = stored_credentials(environ)
    token, key = store.find(TOKEN), store.find(KEY)
    if token:
        _end(token.value, environ)
    make(Changes({}, {TOKEN: None, KEY: None}), environ)
    for name, found in ((TOKEN, token), (KEY, key)):
        if found:
            write(f"{name} is no longer in the {found.origin}")
    if not (token or key):
        write("nothing is stored here")
    return _tell_what_stays(os.environ)


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    """Without what would hide the stored hub and its credentials."""
    return {name: value for name, value in environ.items() if name not in _OF_THE_HUB}


def _end(token: str, environ: Mapping[str, str]) -> None:
    """Tell the hub, if it can be told; else say until when the token stays good."""
    address = hub_url(None, environ)
    claims = claims_of(token)
    stays = f"; the token stays good until {moment_shown(moment_of(claims.expires))}" if claims else ""
    if origin(address) != home(environ):
        return warn(f"there is no hub to tell{stays}")
    try:
        asyncio.run(_revoke(address, Fixed(token), None))
    except NotAuthenticated:
        return None  # it had ended before
    except SwarmError as error:
        return warn(f"{error.detail}{stays}")
    return write(f"logged out at {safe(address)}")


async def _revoke(address: str, source: Source, device: str | None) -> None:
    async with HubClient(address, source, insecure=may_be_insecure(os.environ)) as hub:
        await hub.revoke(device)


def _end_device(device: str) -> None:
    address, source = _own(os.environ)
    asyncio.run(_revoke(address, source, device))
    write(f"every token on {safe(device)} has ended")
    store = stored_credentials(os.environ)
    token = store.find(TOKEN)
    claims = claims_of(token.value) if token else None
    if claims and claims.device == device:
        make(Changes({}, {TOKEN: None}), os.environ)
        write(f"that is this machine: {TOKEN} is no longer stored")


def _own(environ: Mapping[str, str]) -> tuple[str, Source]:
    """A credential that was given to this user, not the running hub's own: no token on a device is made from that."""
    if any(environ.get(variable) for variable in ("SWARM_API_KEY", "SWARM_JWT")):
        address = hub_url(None, environ)
        return address, access(address, environ)
    address = hub_url(None, _plain(environ))
    store = stored_credentials(environ)
    found = store.find(TOKEN) or store.find(KEY)
    if found is None or origin(address) != home(environ):
        raise Fault(
            "nothing is stored here that a token was made from", hint="swarm login", exit_code=NOT_AUTHENTICATED
        )
    return address, Fixed(found.value)


def _tell_what_stays(environ: Mapping[str, str]) -> None:
    for name in (TOKEN, KEY):
        if environ.get(VARIABLES[name]):
            warn(f"{VARIABLES[name]} is set here, and stays good")
