"""bubblewrap: whether this machine has it, and the walls it puts around a command.

Measured with 0.8.0: run by root it leaves a command all capabilities and a `/proc/sys` that root can write to, where
`core_pattern` names a program that the kernel runs as root. Both are taken away here, whoever runs it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

OLDEST = (0, 8)
"""Has `--disable-userns`: in a user namespace of its own a command would have all capabilities again."""
OWN = (
    "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--disable-userns",
    "--cap-drop", "ALL", "--die-with-parent", "--hostname", "sandbox",
)  # fmt: skip
PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = (
    "alternatives", "bash.bashrc", "ca-certificates", "crypto-policies", "debian_version", "fonts", "gai.conf",
    "gitattributes", "group", "host.conf", "hosts", "inputrc", "java", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "locale.alias", "locale.conf", "localtime", "login.defs", "magic", "mime.types", "nsswitch.conf",
    "os-release", "passwd", "perl", "pki/ca-trust", "pki/tls/cert.pem", "pki/tls/certs", "pki/tls/openssl.cnf",
    "profile", "protocols", "python3", "resolv.conf", "services", "shells", "ssl/cert.pem", "ssl/certs",
    "ssl/openssl.cnf", "terminfo", "timezone",
)  # fmt: skip
"""Of `/etc`. Not `machine-id`, from which the key of the stored credentials is made, no private keys, and nothing where
passwords for proxies and servers are put, as `profile.d` and `gitconfig`."""
OF_THE_KERNEL = ("sys", "sysrq-trigger", "acpi", "bus", "driver", "fs", "irq", "scsi")
"""Of `/proc`: what root can write to without a capability, here or elsewhere."""
IN_MEMORY = str(256 * 1024 * 1024)
"""Bytes of what is kept in memory, which nobody counts: a TMPDIR is on the disk."""
SHARED, SCRATCH = "/dev/shm", "/tmp"  # noqa: S108  # nosec B108  # the sandbox's own
PATIENCE = 20.0  # seconds that a try may take


class SandboxUnavailable(Exception):
    """There can be no sandbox. Its text is the reason."""


@cache
def find_bubblewrap() -> str:
    """The program's path. Raises `SandboxUnavailable`."""
    if sys.platform != "linux":
        raise SandboxUnavailable("bubblewrap is for Linux")
    if (found := shutil.which("bwrap")) is None:
        raise SandboxUnavailable("bwrap is not on the PATH (Debian and Ubuntu: apt install bubblewrap)")
    said = _run([found, "--version"]).stdout.strip()
    version = re.search(r"(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < OLDEST:
        raise SandboxUnavailable(f"{found} says it is {said!r}; 0.8.0 or newer is needed")
    return found


def walls(mounts: Sequence[str], network: bool) -> list[str]:
    """The command line that runs what is put behind it and `--`, where it sees the system's programs and `mounts`.

    `network`: what the machine reaches, or nothing. Raises `SandboxUnavailable`.
    """
    closed = () if network else ("--unshare-net",)
    return [find_bubblewrap(), *OWN, *closed, *_system(), *mounts, "--remount-ro", "/dev", "--remount-ro", "/"]


def try_bubblewrap() -> None:
    """Run git behind the walls. Raises `SandboxUnavailable`."""
    run = _run([*walls((), network=False), "--", "git", "--version"])
    if run.returncode:
        said = run.stderr.strip().splitlines() or [f"it ended with {run.returncode}"]
        raise SandboxUnavailable(f"a try of bubblewrap failed: {said[-1]}")


def _system() -> list[str]:
    arguments = []
    for path in PROGRAMS:
        if os.path.islink(path):  # noqa: PTH114  # importing pathlib would delay a worker
            arguments += ["--symlink", os.readlink(path), path]  # noqa: PTH115
        else:
            arguments += ["--ro-bind-try", path, path]
    for name in SETTINGS:
        arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return [
        *arguments,
        *("--proc", "/proc"),
        *(word for name in OF_THE_KERNEL for word in ("--ro-bind-try", f"/proc/{name}", f"/proc/{name}")),
        *("--dev", "/dev", *_scratch(SHARED), *_scratch(SCRATCH)),
    ]


def _scratch(path: str) -> Sequence[str]:
    return "--perms", "1777", "--size", IN_MEMORY, "--tmpfs", path


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxUnavailable(f"{command[0]} does not run: {error}") from error
