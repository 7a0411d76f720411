"""Asks the system keyring: one request on stdin, one answer on stdout, both JSON, so that no value is an argument.

An answer holds `absent` where there is no system keyring, `broken` with the reason when it cannot be used,
else `values` of a `read`, or `done`.
"""

import json
import os
import sys
from typing import Any

import keyring
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.core import recommended

SERVICE = "claude-swarm"


def main() -> None:
    request = json.load(sys.stdin)
    sys.stdout.write(json.dumps(_answer(request)) + "\n")


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        ring = system_ring()
        return {"absent": True} if ring is None else _do(ring, request)
    except Exception as error:  # a backend's own library raises what it likes; whatever it is, the files serve
        return {"broken": _told(error, request)}


def system_ring() -> KeyringBackend | None:
    """The system's keyring. Raises what its library raises when a bus is named and does not answer."""
    chosen = keyring.get_keyring()
    rings = chosen.backends if isinstance(chosen, ChainerBackend) else [chosen]
    # Those that refuse everything, forget everything or write plain text rate themselves below 1.
    ring = next(filter(recommended, rings), None)
    if ring is None and "DBUS_SESSION_BUS_ADDRESS" in os.environ:
        _greet_bus()
    return ring


def _greet_bus() -> None:
    import secretstorage

    try:
        secretstorage.dbus_init().close()
    except Exception:  # its own, jeepney's, and those of sockets
        raise ConnectionError("the bus that DBUS_SESSION_BUS_ADDRESS names does not answer") from None


def _do(ring: KeyringBackend, request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "read":
        found = {name: ring.get_password(SERVICE, name) for name in request["names"]}
        return {"values": {name: value for name, value in found.items() if value}}
    if request["do"] == "store":
        return _store(ring, request["name"], request["value"])
    return {"done": _forget(ring, request["name"])}


def _store(ring: KeyringBackend, name: str, value: str) -> dict[str, Any]:
    try:
        ring.set_password(SERVICE, name, value)
    except Exception:
        _forget(ring, name)  # Windows refuses long ones; the old one must not win over what then goes to the file
        raise
    return {"done": True}


def _forget(ring: KeyringBackend, name: str) -> bool:
    if ring.get_password(SERVICE, name) is None:
        return False
    ring.delete_password(SERVICE, name)
    return True


def _told(error: Exception, request: dict[str, Any]) -> str:
    """The error in one line, which cannot hold the value."""
    value = request.get("value")
    if value and value in str(error):
        return type(error).__name__
    return " ".join(f"{type(error).__name__}: {error}".split())[:200].rstrip(": ")


if __name__ == "__main__":
    main()
