"""The one way out of a sandbox: a socket that leads to the model's endpoint and nowhere else.

An endpoint on loopback is reached in the sandbox at its own address. Any other one is asked for as of a proxy, and the
relay refuses what is not exactly that endpoint. Where the machine itself needs a proxy, the relay asks that one.
"""

import asyncio
import base64
import ipaddress
import os
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

ANTHROPIC = "https://api.anthropic.com"
PROXY_PORT = 3128
UNPRIVILEGED = 1024
CHUNK = 65_536
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
        return not _is_loopback(self.host) or self.port < UNPRIVILEGED

    @property
    def port_inside(self) -> int:
        return PROXY_PORT if self.by_proxy else self.port

    def environment(self) -> Mapping[str, str]:
        """The variables by which programs find it."""
        proxy = f"http://127.0.0.1:{PROXY_PORT}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy") if self.by_proxy else ()
        return dict.fromkeys(names, proxy)


@asynccontextmanager
async def relay(folder: Path, endpoint: Endpoint) -> AsyncIterator[Path]:
    """The relay's socket, in a folder that nobody else gets at. It passes on until the block ends."""
    path = folder / "relay"
    path.unlink(missing_ok=True)
    passing = _Relay(endpoint)
    server = await asyncio.start_unix_server(passing.serve, sock=_listener(path))
    try:
        yield path
    finally:
        server.close()
        await passing.end()
        path.unlink(missing_ok=True)


def _listener(path: Path) -> socket.socket:
    """By way of the folder's descriptor: the name of a socket has 107 characters at most, and paths are longer."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
    return listener


class _Relay:
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._serving: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # nosec B101  # for the type checker: such a callback is a task
        self._serving.add(task)
        try:
            await self._serve((reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # one of the two ends has gone away, or speaks of something else than HTTP
        finally:
            self._serving.discard(task)
            writer.close()

    async def end(self) -> None:
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, inside: Streams) -> None:
        if not self._endpoint.by_proxy:
            outside = await asyncio.open_connection(self._endpoint.host, self._endpoint.port)
            return await _join(inside, outside)
        head = await inside[0].readuntil(b"\r\n\r\n")
        try:
            tunnel = _judge(head, self._endpoint)
            outside = await _connect(self._endpoint)
        except Refused as refused:
            inside[1].write(f"HTTP/1.1 {refused}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            return await inside[1].drain()
        if tunnel:
            inside[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            outside[1].write(head)
        return await _join(inside, outside)


def _judge(head: bytes, endpoint: Endpoint) -> bool:
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


async def _connect(endpoint: Endpoint) -> Streams:
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


async def _join(one: Streams, other: Streams) -> None:
    """Pass on in both directions, until both have ended."""
    try:
        await asyncio.gather(_pump(one[0], other[1]), _pump(other[0], one[1]))
    finally:
        other[1].close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while chunk := await source.read(CHUNK):
        sink.write(chunk)
        await sink.drain()
    with suppress(OSError):
        sink.write_eof()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
