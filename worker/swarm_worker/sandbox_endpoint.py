"""The model's endpoint: how it is asked for in a sandbox, and how it is reached from here."""

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from swarm_api.addresses import is_loopback

ANTHROPIC = "https://api.anthropic.com"
PROXY_PORT = 3128
UNPRIVILEGED = 1024
MOST = 16_384
"""Bytes of the head of a request to a proxy."""
ASK = re.compile(rb"([A-Z]+) (?:(https?)://)?(\[[^]]+\]|[^/:\s]+)(?::(\d{1,5}))?(/\S*)? HTTP/1\.[01]\r\n")
PORTS = {"http": 80, "https": 443}
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Refused(Exception):
    """What was asked for is not the endpoint, or cannot be reached. Its text is the answer's status."""


@dataclass(frozen=True)
class Endpoint:
    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str | None) -> "Endpoint":
        parts = urlsplit(url or ANTHROPIC)
        return cls(parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme])

    @property
    def by_proxy(self) -> bool:
        """Whether the sandbox asks for it as of a proxy: its own loopback has no place for it."""
        return not is_loopback(self.host) or self.port < UNPRIVILEGED

    @property
    def port_inside(self) -> int:
        return PROXY_PORT if self.by_proxy else self.port

    def environment(self) -> Mapping[str, str]:
        """The variables by which programs find it."""
        proxy = f"http://127.0.0.1:{PROXY_PORT}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy") if self.by_proxy else ()
        return dict.fromkeys(names, proxy)


def judge(head: bytes, endpoint: Endpoint) -> bool:
    """Whether a tunnel is asked for. Raises `Refused` for anything but the endpoint."""
    asked = ASK.match(head)
    if asked is None or len(head) > MOST:
        raise Refused("400 Bad Request")
    method, scheme, host, port, _ = (part.decode() if part else "" for part in asked.groups())
    found = (host.strip("[]").lower(), int(port or PORTS.get(scheme, 0)))
    tunnel = method == "CONNECT"
    if found != (endpoint.host, endpoint.port) or tunnel == bool(scheme):
        raise Refused("403 Forbidden")
    return tunnel


async def connect(endpoint: Endpoint) -> Streams:
    """To the endpoint, by the machine's proxy if it has one for it."""
    proxies = getproxies_environment()
    proxy = proxies.get(endpoint.scheme)
    try:
        if not proxy or proxy_bypass(f"{endpoint.host}:{endpoint.port}", proxies):
            return await asyncio.open_connection(endpoint.host, endpoint.port)
        return await _through(proxy, endpoint)
    except OSError as error:
        raise Refused("502 Bad Gateway") from error


async def _through(proxy: str, endpoint: Endpoint) -> Streams:
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port or PORTS[parts.scheme], ssl=parts.scheme == "https" or None
    )
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    lines = [f"CONNECT {host}:{endpoint.port} HTTP/1.1", f"Host: {host}:{endpoint.port}"]
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
    writer.write("\r\n".join([*lines, "", ""]).encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if not re.match(rb"HTTP/1\.[01] 2\d\d ", answer):
        writer.close()
        raise Refused("502 Bad Gateway")
    return reader, writer
