"""Who this machine and this user are: what the encrypted file's key is made from.

Neither is a secret on the machine itself. They bind the file to it: a copy in a backup, an image or a synchronised
folder is worth nothing elsewhere.
"""

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from swarm_api.credentials.errors import CredentialError

LINUX_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_IOREG = ["/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice"]
_SECONDS = 10


def identity() -> bytes:
    """Machine and user. Raises `CredentialError` where the machine has no id, as in most containers.

    Nothing stands in for a missing id: it would lie beside the file, or be the same in every container of an image.
    """
    machine = _machine_id()
    if machine is None:
        raise CredentialError(
            "this machine has no id, so the encrypted file of credentials cannot be used; set the credential's variable"
            f"{_MEND}"
        )
    return f"{machine}:{_user_id()}".encode()


_MEND = ", or make an id by `systemd-machine-id-setup` or `dbus-uuidgen --ensure`" if sys.platform == "linux" else ""


def _machine_id() -> str | None:
    if sys.platform == "darwin":
        return platform_uuid(_ioreg())
    if sys.platform == "win32":
        return _machine_guid()
    return linux_id(LINUX_FILES)


def _user_id() -> str:
    if sys.platform == "win32":
        import getpass

        return getpass.getuser()
    return str(os.geteuid())


def linux_id(files: Iterable[Path]) -> str | None:
    """The first that holds an id. machine-id(5): it may be empty or `uninitialized` while a machine starts first."""
    for path in files:
        try:
            text = path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if re.fullmatch(r"(?!0{32})[0-9a-f]{32}", text):
            return text
    return None


def platform_uuid(registry: str) -> str | None:
    """`IOPlatformUUID` in what macOS's `ioreg` prints."""
    found = re.search(r'"IOPlatformUUID" = "([0-9A-Fa-f-]{36})"', registry)
    return found and found.group(1).upper()


def _ioreg() -> str:
    import subprocess

    try:
        run = subprocess.run(_IOREG, capture_output=True, timeout=_SECONDS, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.decode(errors="replace")


def _machine_guid() -> str | None:
    if sys.platform == "win32":
        import winreg

        try:
            # The 64-bit view: a 32-bit Python finds no value in its own.
            access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography", 0, access) as key:
                return str(winreg.QueryValueEx(key, "MachineGuid")[0])
        except OSError:
            return None
    return None
