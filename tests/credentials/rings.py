"""Keyrings that a machine may have, each chosen by `PYTHON_KEYRING_BACKEND` and kept in a file of the test's home."""

import json
import os
import sys
import time
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend


class Ring(KeyringBackend):
    """A sound one. It takes note of the environment and the arguments it is given."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._file = Path.home() / f"{type(self).__name__}.json"
        (Path.home() / "environ.json").write_text(json.dumps(dict(os.environ)))
        (Path.home() / "arguments.json").write_text(json.dumps(sys.orig_argv))

    def get_password(self, service: str, username: str) -> str | None:
        return self._values().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._file.write_text(json.dumps({**self._values(), f"{service} {username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        values = self._values()
        del values[f"{service} {username}"]
        self._file.write_text(json.dumps(values))

    def _values(self) -> dict[str, str]:
        return dict(json.loads(self._file.read_text())) if self._file.exists() else {}


class PlainText(Ring):
    """As those of keyrings.alt, it rates itself below what is recommended."""

    priority = 0.5  # type: ignore[assignment]


class Chain(ChainerBackend):
    """What `keyring` makes of a machine with several."""

    backends = [PlainText(), Ring()]


class ChainOfPlain(ChainerBackend):
    backends = [PlainText()]


class Full(Ring):
    """Reads what it has, stores nothing, and shows the value in its error."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise OSError(f"{password}\nis too long for {service}")


class Talkative(Ring):
    def get_password(self, service: str, username: str) -> str | None:
        os.write(1, b"A message of the day.\n")
        return super().get_password(service, username)


class Crashing(Ring):
    def get_password(self, service: str, username: str) -> str | None:
        os.abort()


class Waiting(Ring):
    def get_password(self, service: str, username: str) -> str | None:
        (Path.home() / "asked").write_text(str(os.getpid()))
        time.sleep(600)
        return None
