"""What a task's id may look like, told before the hub is asked: in a path of the API all else means something else."""

import re
from collections.abc import Iterable

from swarm_cli.faults import NOT_FOUND, Fault

_LIKELY = re.compile(r"[A-Za-z0-9_-]+")


def is_likely(word: str) -> bool:
    return _LIKELY.fullmatch(word) is not None


def check(words: Iterable[str]) -> None:
    """Raises a `Fault` for the first that is the id of no task, nor the beginning of one."""
    for word in words:
        if not is_likely(word):
            raise Fault(f"there is no task {word or repr(word)}", hint="swarm status", exit_code=NOT_FOUND)
