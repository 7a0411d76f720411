"""What an address says: whose it is, and whether a credential may travel there."""

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

from swarm_api.errors import SwarmError

_PORTS = {"http": 80, "https": 443}


class InsecureAddress(SwarmError):
    """Raised by clients only, before anything is sent: others could read the credential on its way."""

    status, code = 400, "insecure_address"


class Origin(NamedTuple):
    """Two addresses with the same one are the same server to a browser, and to us (RFC 6454)."""

    scheme: str
    host: str
    port: int


def origin(url: str) -> Origin | None:
    """None for what is no address."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return Origin(parts.scheme, parts.hostname, port) if parts.hostname else None


def is_loopback(host: str | None) -> bool:
    """`localhost`, 127.0.0.0/8 or ::1, as written. No name is looked up: what it stands for may change."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return False
    # Pythons differ on whether ::ffff:127.0.0.1 is one.
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def keep_private(url: str) -> None:
    """Raises `InsecureAddress` for plain http to a host that is not loopback."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname):
        raise InsecureAddress(f"{parts.hostname} is asked over plain http: others on the way could read the credential")
