"""`swarm keys`: API keys for other machines and programs."""

import asyncio
import os
import sys
from typing import Annotated

import typer
from pydantic import ValidationError

from swarm_api.auth import KeyIn, KeyMade, KeyOut
from swarm_api.errors import HubUnreachable, SwarmError
from swarm_api.invalid import invalid
from swarm_api.words import SCOPES
from swarm_cli import look
from swarm_cli.faults import DONE, Fault, explain, tell
from swarm_cli.following import client
from swarm_cli.key_ids import ends_with, find, plain_id
from swarm_cli.options import AsJson, Url, group
from swarm_cli.reading import connect, show_json
from swarm_cli.screen import Screen, safe, safe_json, write
from swarm_cli.table import Cell, Column, lines, tabbed

_USUAL = ["tasks:read", "tasks:write", "agents:read"]
_COLUMNS = (Column("KEY"), Column("NAME", share=1), Column("MAY", share=1), Column("MADE BY"), Column("UNTIL"))

keys = group("keys", help="API keys for other machines and programs: make them, see them, end them.")


def _scopes(incomplete: str) -> list[str]:
    return [scope for scope in SCOPES if scope.startswith(incomplete)]


@keys.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people know it by.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCOPE",
            autocompletion=_scopes,
            help=f"What it may: {', '.join(SCOPES)}; may repeat ({', '.join(_USUAL)}).",
        ),
    ] = None,
    expires: Annotated[int | None, typer.Option(metavar="DAYS", help="It ends after so many days.")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Make an API key. It is shown this once: alone on stdout where that is no terminal."""
    scopes = [word for words in scope or _USUAL for word in words.split(",")]
    try:
        wish = KeyIn.model_validate({"name": name, "scopes": scopes, "expiresInDays": expires})
    except ValidationError as error:
        raise invalid(error) from error
    made = asyncio.run(_make(wish, url))
    if as_json:
        return write(safe_json(made.model_dump_json(by_alias=True, indent=2)))
    return _show_once(made)


async def _make(wish: KeyIn, url: str | None) -> KeyMade:
    async with client(url) as hub:
        return await hub.make_key(wish)


def _show_once(made: KeyMade) -> None:
    screen = Screen.of(sys.stdout, os.environ)
    until = f"until {look.moment_shown(made.expires_at)}" if made.expires_at else "for ever"
    described = f"{safe(made.id)}  {safe(made.name)}  may {' '.join(made.scopes)}, {until}"
    write(described, None if screen.terminal else sys.stderr)
    write(screen.paint("bold", safe(made.key)))
    if screen.terminal:
        write(screen.paint("dim", "shown this once; it is used by swarm login, or as SWARM_API_KEY"))


@keys.command(name="list")
def list_keys(as_json: AsJson = False, url: Url = None) -> None:
    """The keys there are, and those that were, the newest first."""
    screen = Screen.of(sys.stdout, os.environ)
    answer = connect(url, os.environ).get("auth", "api-keys")
    if as_json:
        return show_json(answer)
    rows = [KeyOut.model_validate(key) for key in answer["keys"]]
    if not screen.terminal:
        shown = tabbed(_values(key) for key in rows)
    else:
        shown = lines(_COLUMNS, [_row(key) for key in rows], screen)
    for line in shown:
        write(line)
    if screen.terminal and not rows:
        write("No keys yet. Make one: swarm keys create NAME")
    return None


def _row(key: KeyOut) -> tuple[Cell, ...]:
    state = _until(key)
    over = "" if state == "for ever" or state.endswith("UTC") else "red"
    scopes = " ".join(key.scopes)
    return (
        Cell(safe(key.id), "bold"), Cell(safe(key.name)), Cell(scopes), Cell(safe(key.created_by), "dim"),
        Cell(state, over),
    )  # fmt: skip


def _until(key: KeyOut) -> str:
    if key.revoked_at:
        return "revoked"
    if key.expires_at and key.expires_at <= look.now():
        return "expired"
    return look.moment_shown(key.expires_at)


def _values(key: KeyOut) -> tuple[str, ...]:
    return (safe(key.id), _until(key), " ".join(key.scopes), safe(key.created_by), safe(key.name))


@keys.command()
def revoke(
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="The keys; ids may be short.")],
    url: Url = None,
) -> None:
    """End keys, at once: they, the tokens made from them, and the keys that end with them."""
    raise typer.Exit(asyncio.run(_revoke([plain_id(word) for word in ids], url)))


async def _revoke(ids: list[str], url: str | None) -> int:
    codes = []
    async with client(url) as hub:
        known = (await hub.keys()).keys
        for wanted in ids:
            try:
                key = find(known, wanted)
                await hub.revoke_key(key.id)
            except HubUnreachable:
                raise
            except (SwarmError, Fault) as error:
                codes.append(tell(explain(error) or Fault(str(error)), os.environ))
                continue
            _tell_ended(key, ends_with(known, key))
    return next((code for code in codes if code != DONE), DONE)


def _tell_ended(key: KeyOut, below: list[KeyOut]) -> None:
    if key.revoked_at:
        return write(f"{safe(key.id)}  {safe(key.name)}  was revoked before")
    write(f"{safe(key.id)}  {safe(key.name)}  revoked: it and its tokens open nothing any more")
    for child in below:
        write(f"{safe(child.id)}  {safe(child.name)}  ended with it")
    return None
