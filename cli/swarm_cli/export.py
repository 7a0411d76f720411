"""`swarm export`: the tables behind the figures as files, and usage in the forms of other tools."""

import asyncio
import os
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from swarm_api.config import hub_url
from swarm_cli import look
from swarm_cli.export_folder import new_folder
from swarm_cli.export_manifest import manifest, save
from swarm_cli.export_pages import Days
from swarm_cli.export_progress import Progress
from swarm_cli.export_requests import write_requests
from swarm_cli.export_tables import Export, chosen, write_tables
from swarm_cli.export_usage import Report, usage
from swarm_cli.faults import wrong_usage
from swarm_cli.following import client
from swarm_cli.options import AsJson, Url
from swarm_cli.reading import show_json
from swarm_cli.screen import Screen, joined, safe, write

Json = dict[str, Any]
Format = Literal["parquet", "ccusage", "claude-jsonl"]
_FOLDER = "swarm-export"


def export(
    folder: Annotated[
        str | None, typer.Argument(metavar="FOLDER", help=f"Made for it. None: {_FOLDER}, here; ccusage: stdout.")
    ] = None,
    format_: Annotated[
        Format,
        typer.Option(
            "--format",
            help="parquet: all tables. ccusage: its JSON of usage. claude-jsonl: what ccusage itself can read.",
        ),
    ] = "parquet",
    report: Annotated[Report, typer.Option(help="Which of ccusage's; session: one for each task.")] = "daily",
    tables: Annotated[
        str | None, typer.Option(metavar="A,B", help="Which of the tables, for parquet; none: all.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="The first day, in the hub's time zone.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="The last day.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Put it in the place of an earlier export.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Take the numbers elsewhere: tables as Parquet files, or usage as ccusage knows it."""
    days = Days(_date(since, "--since"), _date(until, "--until"))
    if days.since and days.until and days.since > days.until:
        raise wrong_usage(f"--since {days.since} is after --until {days.until}")
    if tables is not None and format_ != "parquet":
        raise wrong_usage(f"--tables is for parquet, not for {format_}")
    if format_ == "ccusage":
        if folder is not None or force:
            raise wrong_usage("ccusage's JSON goes to stdout", hint="swarm export --format ccusage > usage.json")
        return show_json(asyncio.run(_usage(url, report, days)))
    target = Path(folder or _FOLDER)
    made = asyncio.run(_export(url, format_, target, force, tables, days))
    if as_json:
        return show_json(made)
    for line in joined(_told(target, made), Screen.of(sys.stdout, os.environ), between=", "):
        write(line)
    return None


async def _usage(url: str | None, report: Report, days: Days) -> Json:
    async with client(url) as hub:
        return await usage(hub, report, days)


async def _export(url: str | None, format_: Format, target: Path, force: bool, tables: str | None, days: Days) -> Json:
    with new_folder(target, force) as folder, Progress(sys.stderr, os.environ) as progress:
        async with client(url) as hub:
            schema = await hub.schema()
            said = manifest(hub_url(url, os.environ), (await hub.health()).version, schema.time_zone, days)
            if format_ == "parquet":
                said |= await write_tables(Export(hub, schema, days, progress), chosen(schema, tables), folder)
            else:
                said |= await write_requests(hub, folder, days, progress)
        save(folder, said)
        return said


def _told(target: Path, made: Json) -> list[str]:
    place = safe(str(target))
    if "tables" not in made:
        return [f"{place}: {made['requests']:,} requests of {look.plural(made['sessions'], 'task')}"]
    counts = [f"{table['name']} {table['rows']:,}" for table in made["tables"]]
    return [f"{place}: {counts[0]}", *counts[1:]]


def _date(given: str | None, option: str) -> date | None:
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise wrong_usage(f"{option} is {given!r}; allowed: a day like 2026-02-01") from None
