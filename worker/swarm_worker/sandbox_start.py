"""Becomes bubblewrap: `python -I -S sandbox_start.py PARENT BWRAP…`.

In a session of its own, so that no terminal can be typed into, and with an empty keyring of the kernel's. SIGTERM is
for the command inside, which gets it with the group: bubblewrap would end at once, and everything in it.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
SIGTERM, SIGKILL, IGNORE = 15, 9, 1  # importing `signal` would cost more than the rest of this program
MISSED = 128 + SIGKILL
KEYCTL, JOIN_SESSION_KEYRING = {"x86_64": 250, "aarch64": 219}, 1


def main(parent: str, *command: str) -> int:  # noqa: RET503  # execv does not return
    """The exit code, if the parent is gone already; otherwise it does not return."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):  # it died before the kernel knew whom to tell
        return MISSED
    if os.getsid(0) != os.getpid():
        os.setsid()
    libc.signal(SIGTERM, IGNORE)
    if number := KEYCTL.get(os.uname().machine):
        libc.syscall(number, JOIN_SESSION_KEYRING, 0)
    os.execv(command[0], command)  # noqa: S606  # becoming the command is the purpose


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
