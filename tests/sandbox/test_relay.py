"""The relay, as what runs in a sandbox may ask it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from swarm_worker.sandbox_endpoint import Endpoint
from swarm_worker.sandbox_relay import relay

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
ELSEWHERE = Endpoint.of("https://model.test")


@asynccontextmanager
async def server(answer: bytes = ANSWER) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Listens on loopback, notes each head of a request, and answers it."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                heard.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(answer)
        except asyncio.IncompleteReadError:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1], heard


@contextmanager
def short_name(path: Path) -> Iterator[str]:
    folder = os.open(path.parent, os.O_RDONLY)
    yield f"/proc/self/fd/{folder}/{path.name}"
    os.close(folder)


async def ask(path: Path, request: bytes) -> bytes:
    """All that the relay has to say to it."""
    with short_name(path) as name:
        reader, writer = await asyncio.open_unix_connection(name)
    writer.write(request)
    writer.write_eof()
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    "request_",
    [
        b"CONNECT elsewhere.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT model.test:444 HTTP/1.1\r\n\r\n",
        b"CONNECT model.test.elsewhere.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT 127.0.0.1:443 HTTP/1.1\r\nHost: model.test:443\r\n\r\n",
        b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n",
        b"CONNECT model.test HTTP/1.1\r\n\r\n",
        b"GET http://elsewhere.test/ HTTP/1.1\r\nHost: model.test\r\n\r\n",
        b"GET http://model.test/ HTTP/1.1\r\n\r\n",
    ],
)
async def test_whoever_asks_for_anything_but_the_endpoint_is_refused(tmp_path: Path, request_: bytes) -> None:
    async with relay(tmp_path, ELSEWHERE) as path:
        assert (await ask(path, request_)).startswith(b"HTTP/1.1 403 Forbidden\r\n")


@pytest.mark.parametrize("request_", [b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"CONNECT a b c\r\n\r\n"])
async def test_what_is_no_request_to_a_proxy_is_refused(tmp_path: Path, request_: bytes) -> None:
    async with relay(tmp_path, ELSEWHERE) as path:
        assert (await ask(path, request_)).startswith((b"HTTP/1.1 400 Bad Request\r\n", b"HTTP/1.1 403 Forbidden\r\n"))


async def test_whoever_says_nothing_to_the_end_hears_nothing(tmp_path: Path) -> None:
    async with relay(tmp_path, ELSEWHERE) as path:
        assert await ask(path, b"CONNECT model.test:443 HTT") == b""


@pytest.mark.parametrize("host", ["model.test", "MODEL.TEST"])
async def test_the_endpoint_is_reached_by_the_machines_own_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    async with server() as (port, heard), relay(tmp_path, ELSEWHERE) as path:
        monkeypatch.setenv("https_proxy", f"http://ada:se%20cret@127.0.0.1:{port}")
        told = await ask(path, f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode() + b"GET / HTTP/1.1\r\n\r\n")
    assert told == b"HTTP/1.1 200 Connection established\r\n\r\n" + ANSWER
    assert heard == [
        b"CONNECT model.test:443 HTTP/1.1\r\nHost: model.test:443\r\n"
        b"Proxy-Authorization: Basic YWRhOnNlIGNyZXQ=\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ]


async def test_a_proxy_that_refuses_is_told_as_a_bad_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(b"HTTP/1.1 407 No\r\n\r\n") as (port, _), relay(tmp_path, ELSEWHERE) as path:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        assert (await ask(path, b"CONNECT model.test:443 HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")


async def test_plain_http_to_an_endpoint_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = b"POST http://model.test/v1 HTTP/1.1\r\nHost: model.test\r\n\r\n"
    async with server() as (port, heard), relay(tmp_path, Endpoint.of("http://model.test")) as path:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        assert await ask(path, request) == ANSWER
    assert heard[1:] == [request]


async def test_an_endpoint_on_loopback_gets_what_is_said_as_it_is(tmp_path: Path) -> None:
    async with server() as (port, heard), relay(tmp_path, Endpoint.of(f"http://localhost:{port}/base")) as path:
        assert await ask(path, b"GET /1 HTTP/1.1\r\n\r\n") == ANSWER
    assert heard == [b"GET /1 HTTP/1.1\r\n\r\n"]


async def test_an_endpoint_that_is_not_there_ends_the_connection(tmp_path: Path) -> None:
    async with server() as (port, _):
        pass
    async with relay(tmp_path, Endpoint.of(f"http://127.0.0.1:{port}")) as path:
        assert await ask(path, b"GET / HTTP/1.1\r\n\r\n") == b""


async def test_its_folder_may_have_a_name_that_is_longer_than_that_of_any_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    async with server() as (port, _), relay(folder, Endpoint.of(f"http://127.0.0.1:{port}")) as path:
        assert await ask(path, b"GET / HTTP/1.1\r\n\r\n") == ANSWER


@pytest.mark.parametrize(
    ("url", "port_inside"),
    [
        (None, 3128),
        ("https://api.anthropic.com", 3128),
        ("http://127.0.0.1:4000/x", 4000),
        ("http://[::1]:4000", 4000),
        ("https://localhost:8443", 8443),
        ("http://localhost", 3128),
    ],
)
def test_where_the_endpoint_is_in_the_sandbox(url: str | None, port_inside: int) -> None:
    assert Endpoint.of(url).port_inside == port_inside
