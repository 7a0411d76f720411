"""What a command in the sandbox sees: the machine's programs, what is mounted for it, and nothing else."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swarm_api.sandbox import SCRATCH, walls
from swarm_worker import sandbox_init, sandbox_start

INSIDE = Path("/run/swarm")
"""Where what is the sandbox's own lies in it."""
RELAY = INSIDE / "relay"
INIT = INSIDE / "init.py"
USER_CONFIG = INSIDE / "user.gitconfig"
PYTHON = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
"""Of a virtual environment the Python it was made from: the rest of it is not for agents."""
PASSED = frozenset({"PATH", "LANG", "LANGUAGE", "TZ"})

Mounts = tuple[str, ...]


def shown(path: Path, at: Path | None = None) -> Mounts:
    """To be read."""
    return ("--ro-bind", str(path), str(at or path))


def given(path: Path, at: Path | None = None) -> Mounts:
    """To be read and written."""
    return ("--bind", str(path), str(at or path))


@dataclass(frozen=True)
class Sandbox:
    """`network`: what the machine reaches, or nothing. `port`: where in the sandbox the relay is; 0, nowhere."""

    mounts: Mounts
    network: bool = False
    port: int = 0

    def briefly(self, folder: Path, command: list[str]) -> list[str]:
        """The command line of a command that ends soon, as git does."""
        return [*walls(self.mounts, self.network), "--chdir", str(folder), "--", *command]

    def command(self, folder: Path, command: list[str]) -> list[str]:
        """The command line of an agent's command, which dies with us and takes along all that it started."""
        around = walls((*self.mounts, *_python(), *shown(Path(sandbox_init.__file__), INIT)), self.network)
        start = (sys.executable, "-I", "-S", sandbox_start.__file__, str(os.getpid()))
        init = (PYTHON, "-I", "-S", str(INIT), str(self.port))
        return [*start, *around, "--as-pid-1", "--chdir", str(folder), "--", *init, *command]


def environment(outside: Mapping[str, str]) -> dict[str, str]:
    """What our own git gets in the sandbox, where the agent may have told it to run something."""
    passed = {name for name in outside if name in PASSED or name.startswith(("GIT_", "LC_"))}
    own = {"HOME": SCRATCH, "TMPDIR": SCRATCH, "GIT_CONFIG_GLOBAL": str(USER_CONFIG)}
    return {**{name: outside[name] for name in passed}, **own}


def _python() -> Mounts:
    """What Python needs to start, where it is not the system's."""
    prefix = Path(sys.base_prefix).resolve()
    return () if prefix == Path("/usr") else shown(prefix)
