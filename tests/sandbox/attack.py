"""What an agent may try, run in its worktree: `attack.py JSON`. Prints what it reached, a line each.

Nothing is changed where it succeeds: what can be opened for writing is not written.
"""
# ruff: noqa: PTH102, PTH104, PTH106, PTH110, PTH123, PTH208, T201

import ctypes
import json
import os
import socket
import sys
from collections.abc import Callable

PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17
CLONE_NEWUSER, KEYCTL_SEARCH, SESSION = 0x10000000, 10, -3
LIBC = ctypes.CDLL(None, use_errno=True)


def read(path: str) -> bool:
    with open(path, "rb") as file:
        return bool(file.read(1))


def write(path: str) -> bool:
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
    return True


def look_into(path: str) -> bool:
    return bool(os.listdir(path))


def make(path: str) -> bool:
    os.mkdir(path)
    os.rmdir(path)
    return True


def replace(path: str) -> bool:
    os.rename(path, path + "~")
    os.rename(path + "~", path)
    return True


def connect(port: int) -> bool:
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    return True


def connect_unix(path: str) -> bool:
    socket.socket(socket.AF_UNIX).connect(path)
    return True


def connect_abstract(name: str) -> bool:
    return connect_unix("\0" + name)


def signal(pid: int) -> bool:
    os.kill(pid, 0)
    return True


def trace(pid: int) -> bool:
    if LIBC.ptrace(PTRACE_SEIZE, pid, 0, 0):
        return False
    LIBC.ptrace(PTRACE_DETACH, pid, 0, 0)
    return True


def see(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}/stat")


def become_root_of_its_own(_: None) -> bool:
    """As mounting, in a namespace where one may."""
    child = os.fork()
    if child == 0:
        os._exit(LIBC.unshare(CLONE_NEWUSER) != 0)
    return os.waitpid(child, 0)[1] == 0


def find_key(name: str) -> bool:
    """In the kernel's keyring of the session."""
    number = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
    return bool(LIBC.syscall(number, KEYCTL_SEARCH, SESSION, b"user", name.encode(), 0) != -1)


ATTEMPTS: dict[str, Callable[..., bool]] = {
    each.__name__: each
    for each in (
        read, write, look_into, make, replace, connect, connect_unix, connect_abstract, signal, trace, see,
        become_root_of_its_own, find_key,
    )
}  # fmt: skip


def main(attempts: list[tuple[str, object]]) -> None:
    for name, target in attempts:
        try:
            reached = ATTEMPTS[name](target)
        except OSError:
            reached = False
        if reached:
            print("reached", name, json.dumps(target), flush=True)
    print("tried", len(attempts), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
