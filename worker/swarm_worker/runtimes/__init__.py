"""What thinks inside a worker."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from swarm_api.worker import Report, WorkOrder
from swarm_worker.guard import guarded


class RuntimeCrashed(Exception):
    """The runtime ended without a result: the worker reports `runtime_crashed`, which may cost another attempt."""


@dataclass(frozen=True)
class Place:
    """Where a runtime works: its worktree, a home that stays for the task's next attempt, and a clean environment.

    `env` is the whole environment of everything the runtime starts. It holds neither the worker's token nor
    anything of the hub's; `home` and `tmp` are named in it as HOME and TMPDIR. `desk` is for files about the run, which
    an agent in a sandbox can read but not change. `command` makes the command line that runs a program here: it ends
    when this process ends, and is to be started from the main thread.
    """

    workdir: Path
    home: Path
    tmp: Path
    env: Mapping[str, str]
    desk: Path
    command: Callable[..., list[str]] = guarded


class Runtime(Protocol):
    def run(self, order: WorkOrder, place: Place) -> AsyncIterator[Report]:
        """Do the work. The last thing it yields is a `ResultReport` without branch and commits.

        Raises `RuntimeCrashed`. After `interrupt` it still ends with a `ResultReport`, status `cancelled`. When the
        iterator is closed early, everything it started is ended first.
        """

    async def send(self, message: str) -> None:
        """A message for the agent, heard at its next turn."""

    async def interrupt(self) -> None:
        """Ask it to stop now; it ends in its own time (the worker waits a few seconds, then closes it).

        Right after a message it drops what it is doing for the message instead of ending.
        """
