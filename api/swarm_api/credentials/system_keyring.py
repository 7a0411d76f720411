"""The system keyring, as the rest of the store sees it: asked in a process of its own, which can be ended.

A keyring may wait for ever: for a password that nobody types, for a service that hangs. A process that is killed
takes its prompt with it, while a thread would leave both behind. It costs 30 ms more than the import alone.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from swarm_api.credentials.errors import CredentialError
from swarm_api.credentials.names import VARIABLES

_COMMAND = [sys.executable, "-P", "-m", "swarm_api.credentials.keyring_process"]
# What `keyring` itself honours, so that one variable switches it off for every program of a machine.
_CHOICE = "PYTHON_KEYRING_BACKEND"
_OFF = ("keyring.backends.null.Keyring", "keyring.backends.fail.Keyring")
_SECONDS_TO_TYPE = 30.0
_SECONDS = 5.0


class _Broken(Exception):
    """There is a keyring, and it cannot be used. The text is the reason."""


class SystemKeyring:
    """What could not be used once is not asked again by this object: nobody waits twice."""

    def __init__(self, environ: Mapping[str, str], warn: Callable[[str], None]) -> None:
        self._environ = {key: value for key, value in environ.items() if key not in VARIABLES.values()}
        self._warn = warn
        self._absent = not _possible(environ)
        self._reason: str | None = None

    def read(self, names: Sequence[str]) -> dict[str, str]:
        """Those of the names that it holds; none, and a warning, when it cannot be used."""
        values = self._ask_or_warn({"do": "read", "names": list(names)}).get("values", {})
        return {name: str(value) for name, value in values.items()}

    def put(self, name: str, value: str) -> bool:
        """Whether it holds the value now; False when there is none, and with a warning when it cannot be used."""
        return bool(self._ask_or_warn({"do": "store", "name": name, "value": value}).get("done"))

    def drop(self, name: str) -> bool:
        """Whether it was there. Raises `CredentialError` when that cannot be known."""
        try:
            return bool(self._ask({"do": "forget", "name": name}).get("done"))
        except _Broken as broken:
            raise CredentialError(
                f"the system keyring cannot be used ({broken}), and {name} may still be in it; unlock it and try again"
            ) from None

    def _ask_or_warn(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._ask(request)
        except _Broken as broken:
            self._warn(
                f"the system keyring cannot be used ({broken}); the files beside config.json serve instead, and what"
                " the keyring holds wins again once it opens"
            )
            return {}

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._absent:
            return {}
        if self._reason is None:
            answer = _answer(request, self._environ)
            self._absent, self._reason = bool(answer.get("absent")), answer.get("broken")
            if self._reason is None:
                return answer
        raise _Broken(self._reason)


def _possible(environ: Mapping[str, str]) -> bool:
    """Whether asking could find one. A machine without a desktop has no bus, and shall not pay for learning it."""
    if choice := environ.get(_CHOICE):
        return choice not in _OFF
    return sys.platform in ("darwin", "win32") or bool(environ.get("DBUS_SESSION_BUS_ADDRESS"))


def _answer(request: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    import json
    import subprocess

    seconds = _patience(environ)
    try:
        run = subprocess.run(
            _COMMAND, input=json.dumps(request).encode(), capture_output=True, env=environ, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return {"broken": f"it did not answer within {seconds:.0f} s"}
    except OSError as error:
        return {"broken": f"{sys.executable}: {error.strerror}"}
    try:
        # A backend may print; the answer is the last line.
        return dict(json.loads(run.stdout.splitlines()[-1]))
    except (IndexError, ValueError):
        return {"broken": f"the process that asks it ended with {run.returncode}"}


def _patience(environ: Mapping[str, str]) -> float:
    """Somebody at a screen may have to type a password; without one nobody can be asked."""
    screen = sys.platform in ("darwin", "win32") or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return _SECONDS_TO_TYPE if screen else _SECONDS
