"""The usual ways to call `swarm status`, read by hand. Whatever is unusual is left to typer, which knows them all."""

import os
from collections.abc import Callable

from swarm_cli.listing import Wanted, show


def status(arguments: list[str]) -> Callable[[], int | None] | None:
    """`[ID] [--json] [--url URL]`, in any order; None for anything else."""
    wanted, rest = Wanted(), list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--json":
            wanted = wanted._replace(as_json=True)
        elif word == "--url" and rest and not rest[0].startswith("-"):
            wanted = wanted._replace(url=rest.pop(0))
        elif wanted.task_id is None and not word.startswith("-"):
            wanted = wanted._replace(task_id=word)
        else:
            return None
    return lambda: show(wanted, os.environ)
