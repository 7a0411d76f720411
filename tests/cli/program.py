"""`swarm` as a user runs it: the real program in a process of its own, in a pipe or on a terminal."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

PROGRAM = Path(sys.executable).parent / "swarm"
LIMIT = 60.0  # seconds any command may take on a busy machine


class Swarm:
    """Runs commands with a clean environment, in a folder of their own."""

    program = PROGRAM

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        home = folder / "home"
        home.mkdir(exist_ok=True)
        base = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm-256color"}
        # macOS has one keyring for all homes: the developer's own.
        base |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        self.environ: Mapping[str, str] = {**base, "SWARM_DATA_DIR": str(folder / "data"), **environ}

    def __call__(self, *arguments: str, stdin: str | bytes = "", **environ: str) -> subprocess.CompletedProcess[str]:
        """What a command in a pipe says, and its exit code."""
        run = subprocess.run(
            [PROGRAM, *arguments], input=stdin.encode() if isinstance(stdin, str) else stdin, capture_output=True,
            env={**self.environ, **environ}, cwd=self.folder, timeout=LIMIT, check=False,
        )  # fmt: skip
        return subprocess.CompletedProcess(run.args, run.returncode, run.stdout.decode(), run.stderr.decode())

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """A command that goes on, its output in a pipe."""
        return subprocess.Popen(
            [PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**self.environ, **environ}, cwd=self.folder,
        )  # fmt: skip

    def on_terminal(self, *arguments: str, columns: int = 80, **environ: str) -> tuple[int, str]:
        """The exit code of a command on a terminal, and all that it wrote there."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        with os.fdopen(ours, "rb", buffering=0) as screen:
            process = subprocess.Popen(
                [PROGRAM, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env={**self.environ, **environ},
                cwd=self.folder, start_new_session=True,
            )  # fmt: skip
            os.close(theirs)
            written = b"".join(iter(lambda: _read(screen.fileno()), b""))
            return process.wait(LIMIT), written.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # Linux's way to say that the other side of a terminal is closed
        return b""
