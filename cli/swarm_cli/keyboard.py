"""The keyboard of a terminal that is drawn on."""

import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_LOCAL_MODES = 3  # its place in what tcgetattr returns


@contextmanager
def without_echo() -> Iterator[None]:
    """Keys that are pressed do not show, and are forgotten at the end; ctrl-C still works."""
    if not sys.stdin.isatty() or _in_background():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    quiet = termios.tcgetattr(sys.stdin)
    quiet[_LOCAL_MODES] &= ~termios.ECHO
    # A signal that ended the program at once would leave the terminal so.
    handlers = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, quiet)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)


def _in_background() -> bool:
    """Whether changing the terminal would stop this process."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) != os.getpgrp()
    except OSError:  # it is not the terminal of this session
        return False
