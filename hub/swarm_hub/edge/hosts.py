"""Whether the name that a request was sent to is the hub's. A page that had another name point here is told no."""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_PORT = re.compile(r":\d*$")
_BRACKETED = re.compile(r"\[([0-9a-f:.]+)\]")


class Hosts:
    """This machine's own names, those of the URLs the hub is reached at, and where others reach it any bare address:
    who rebinds a name needs one."""

    def __init__(self, urls: Iterable[str], any_address: bool) -> None:
        self._names = _LOOPBACK | {_bracketed(urlsplit(url).hostname or "") for url in urls}
        self._any_address = any_address
        self._usual = {urlsplit(url).netloc.encode() for url in urls}

    def know(self, host: bytes) -> bool:
        if host in self._usual:
            return True
        name = _name(host)
        return name in self._names or (self._any_address and _is_address(name))


def is_loopback_name(host: bytes) -> bool:
    return _name(host) in _LOOPBACK


def _name(host: bytes) -> str:
    return _PORT.sub("", host.decode("latin-1")).lower()


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name.lower()


def _is_address(name: str) -> bool:
    match = _BRACKETED.fullmatch(name)
    try:
        (ipaddress.IPv6Address if match else ipaddress.IPv4Address)(match[1] if match else name)
    except ValueError:
        return False
    return True
