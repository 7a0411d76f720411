"""A command that asks on a terminal, and somebody who reads and types."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from types import TracebackType
from typing import Self

from cli.program import LIMIT, Swarm


class Dialogue:
    """Use it with `with`: the command is gone at its end."""

    def __init__(self, swarm: Swarm, *arguments: str, columns: int = 80, **environ: str) -> None:
        self._ours, self._theirs = pty.openpty()
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self._process = subprocess.Popen(
            [swarm.program, *arguments], stdin=self._theirs, stdout=self._theirs, stderr=self._theirs,
            env={**swarm.environ, **environ}, cwd=swarm.folder, start_new_session=True,
        )  # fmt: skip
        self._seen = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._theirs)
        os.close(self._ours)

    def answer(self, question: str, line: str) -> None:
        """Wait for the question, and type a line."""
        self.read_until(question)
        os.write(self._ours, line.encode() + b"\n")

    def read_until(self, text: str) -> None:
        """What was looked for before is not found again."""
        wanted = text.encode()
        deadline = time.monotonic() + LIMIT
        while wanted not in self._seen[self._looked :]:
            self._read(deadline)
        self._looked += self._seen[self._looked :].index(wanted) + len(wanted)

    def press_ctrl_c(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def press_ctrl_d(self) -> None:
        os.write(self._ours, b"\x04")

    def end(self) -> tuple[int, str]:
        """The exit code, and all that was to be seen."""
        deadline = time.monotonic() + LIMIT
        while self._process.poll() is None:
            self._read(deadline, patience=0.05)
        self._read(deadline, patience=0)
        return self._process.returncode, self._seen.decode().replace("\r\n", "\n")

    _looked = 0

    def _read(self, deadline: float, patience: float = 1.0) -> None:
        if time.monotonic() > deadline:
            raise TimeoutError(self._seen.decode())
        while select.select([self._ours], [], [], patience)[0]:
            self._seen += os.read(self._ours, 65_536)
            patience = 0
