"""Runs a command that dies with its worker, however the worker dies: `python -I -S guard.py [PARENT] COMMAND…`.

A killed worker cannot stop what it started, and a Claude whose parent was killed works on, calls the model and writes
files. On Linux the kernel tells the command of the worker's death; elsewhere this process stays and watches. It
imports next to nothing, because it stands before every command.
"""

import os
import sys

PR_SET_PDEATHSIG = 1
SIGTERM, SIGKILL = 15, 9  # importing `signal` would cost more than the rest of this program
MISSED = 128 + SIGTERM  # what a shell says of a command that SIGTERM ended


def guarded(*command: str) -> list[str]:
    """The command line that runs `command` and ends it when this process ends.

    On Linux the signal comes when the *thread* ends that started the command: start it from the main thread.
    """
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def main(arguments: list[str]) -> int:
    """The exit code; on Linux it does not return, unless the parent is gone already."""
    named = arguments[0].isdecimal()
    parent = int(arguments[0]) if named else os.getppid()
    return _run(arguments[1:] if named else arguments, parent)


def _execute(command: list[str]) -> int:
    try:
        os.execvp(command[0], command)  # noqa: S606  # becoming the command is the purpose
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127 if isinstance(error, FileNotFoundError) else 126


if sys.platform == "linux":

    def _run(command: list[str], parent: int) -> int:
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel knew whom to tell
            return MISSED
        return _execute(command)

else:

    def _run(command: list[str], parent: int) -> int:
        """Run the command in a group of its own, pass signals on to it, and end the group when the parent ends."""
        import select
        import signal

        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            os._exit(_execute(command))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda received, _frame: _send(child, received))
        queue = select.kqueue()
        for pid in (child, parent):
            event = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
            try:
                queue.control([event], 0)
            except ProcessLookupError:
                return _end(child, gone=pid)
        return _end(child, gone=queue.control(None, 1)[0].ident)

    def _end(child: int, gone: int) -> int:
        """The command's own end is passed on as it was; the parent's takes the command's whole group along."""
        if gone != child:
            _end_group(child)
            return MISSED
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code

    def _end_group(group: int) -> None:
        import time

        for number in (SIGTERM, SIGKILL):
            try:
                os.killpg(group, number)
            except ProcessLookupError:
                return
            time.sleep(2)  # Claude needs one to end its own children, which have sessions of their own

    def _send(group: int, number: int) -> None:
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            pass  # it has just ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
