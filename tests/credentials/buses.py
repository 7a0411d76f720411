"""A D-Bus of the test's own, and the Secret Service of GNOME's keyring on it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import secretstorage
from jeepney.io.blocking import DBusConnection, open_dbus_connection  # type: ignore[import-untyped]

from worker.waiting import wait_until

PASSWORD = b"the test's own"
# Without folders of services nothing is started by being asked for, and so no prompt on somebody's screen.
CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class Bus:
    """Its processes live as long as the test that made it."""

    def __init__(self, folder: Path) -> None:
        need("dbus-daemon")
        self._home = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        (folder / "password").write_bytes(PASSWORD)
        socket = folder / "bus"
        (folder / "bus.conf").write_text(CONFIG.format(socket=socket))
        self._address = f"unix:path={socket}"
        self.environ = {"DBUS_SESSION_BUS_ADDRESS": self._address}
        self._start("dbus-daemon", "--nofork", "--nopidfile", "--config-file", str(folder / "bus.conf"))
        wait_until(socket.exists)

    def start_keyring(self) -> None:
        """With an unlocked collection of the test's own."""
        need("gnome-keyring-daemon")
        self._start("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
        wait_until(self._is_unlocked)

    def lock(self) -> None:
        """Nobody is there to type the password again."""
        with self._connected() as connection:
            secretstorage.get_default_collection(connection).lock()

    def labels(self) -> list[str]:
        """Of all that the keyring holds."""
        with self._connected() as connection:
            return [item.get_label() for item in secretstorage.get_default_collection(connection).get_all_items()]

    def hang(self) -> None:
        """The last one that was started, keyring or bus, answers no more."""
        self._processes[-1].send_signal(signal.SIGSTOP)

    def end(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        self._processes.clear()

    def _is_unlocked(self) -> bool:
        with self._connected() as connection:
            if not secretstorage.check_service_availability(connection):
                return False
            try:
                return not secretstorage.get_collection_by_alias(connection, "default").is_locked()
            except secretstorage.ItemNotFoundException:
                return False

    @contextmanager
    def _connected(self) -> Iterator[DBusConnection]:
        connection = open_dbus_connection(self._address)
        try:
            yield connection
        finally:
            connection.close()

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        home = str(self._home)
        environ = {"PATH": os.environ["PATH"], "HOME": home, "XDG_DATA_HOME": home, "XDG_RUNTIME_DIR": home}
        with (self._home / "log").open("ab") as log, (self._home / "password").open("rb") as password:
            process = subprocess.Popen(
                command, env=environ | self.environ, stdin=password, stdout=log, stderr=log, cwd=home
            )
        self._processes.append(process)
        return process


def need(program: str) -> None:
    """Skip where it is not installed; where changes are checked, on Linux, it has to be."""
    if sys.platform != "linux":
        pytest.skip("a Secret Service is Linux's")
    if shutil.which(program):
        return
    if os.environ.get("CI"):
        pytest.fail(f"{program} is not installed; .ci/run installs it")
    pytest.skip(f"{program} is not installed")
