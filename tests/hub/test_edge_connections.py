"""Who says nothing, or never ends, is not waited for: he holds a connection before anybody knows who he is."""

import asyncio
import gc
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.following import happen, receive, socket, stream
from hub.played import LIMIT, PlayedHub
from hub.problems import assert_problem
from swarm_hub.edge import connections

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHOLE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"POST /api/auth/token HTTP/1.1\r\nHost: localhost\r\n"
SHORT = 0.2  # seconds
KEEP_ALIVE = 5.0  # seconds that uvicorn waits for another request


@pytest.fixture
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", SHORT)
    monkeypatch.setattr(connections, "BODY_SECONDS", SHORT)


hurried = pytest.mark.usefixtures("_hurried")


@asynccontextmanager
async def connected(hub: PlayedHub, said: bytes) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(hub.url.rsplit(":", 1)[1]))
    try:
        writer.write(said)
        yield reader, writer
    finally:
        writer.close()


async def heard(reader: StreamReader) -> bytes:
    """All that comes until the hub hangs up, one way or the other."""
    received = b""
    async with asyncio.timeout(LIMIT):
        try:
            while piece := await reader.read(65_536):
                received += piece
        except ConnectionResetError:
            pass
    return received


@hurried
@pytest.mark.parametrize(
    "said",
    [b"", b"POST", HEAD, HEAD + b"Content-Length: 10\r\n\r\n", HEAD + b"Content-Length: 10\r\n\r\n{",
     HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"],
)  # fmt: skip
async def test_who_does_not_end_his_request_is_hung_up_on(shared: PlayedHub, said: bytes) -> None:
    async with connected(shared, said) as (reader, _):
        assert await heard(reader) == b""


@hurried
async def test_a_second_request_is_not_waited_for_longer_than_the_first(shared: PlayedHub) -> None:
    async with connected(shared, WHOLE) as (reader, writer), asyncio.timeout(KEEP_ALIVE - 1):
        await reader.readuntil(b"}}")
        writer.write(HEAD)  # with its first byte uvicorn's own patience is without end
        assert await heard(reader) == b""


@pytest.mark.parametrize(
    "piece", [b"a" * 10_000, b"X-A: b\r\n" * 1_000, b"X-A:" + b" " * 10_000], ids=["value", "fields", "spaces"]
)
async def test_a_head_without_end_is_refused(shared: PlayedHub, piece: bytes) -> None:
    async with connected(shared, HEAD + b"X-B: ") as (reader, writer):
        for _ in range(200):
            writer.write(piece)
        received = await heard(reader)
    assert received == b"" or received.startswith(b"HTTP/1.1 431 ")


async def test_it_is_told_why(shared: PlayedHub) -> None:
    async with connected(shared, WHOLE + HEAD + b"X-A: ") as (reader, writer), asyncio.timeout(LIMIT):
        await reader.readuntil(b"}}")  # the first answer: what came with its question has been read
        writer.write(b"a" * (connections.MAX_HEAD + 1))
        head, _, body = (await heard(reader)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["code"] == "too_large"


async def test_a_long_head_is_heard_to_its_end(shared: PlayedHub) -> None:
    async with connected(shared, WHOLE + HEAD.replace(b"POST", b"GET") + b"X-A: ") as (reader, writer):
        async with asyncio.timeout(LIMIT):
            await reader.readuntil(b"}}")
        writer.write(b"a" * (connections.MAX_HEAD - 100) + b"\r\nConnection: close\r\n\r\n")
        assert (await heard(reader)).startswith(b"HTTP/1.1 405 ")


async def test_space_around_a_headers_value_is_no_part_of_it(shared: PlayedHub) -> None:
    asked = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nOrigin:  http://localhost \t\r\nConnection: close\r\n\r\n"
    async with connected(shared, asked) as (reader, _):
        assert (await heard(reader)).startswith(b"HTTP/1.1 200 ")


async def test_a_large_body_is_no_long_head(shared: PlayedHub) -> None:
    answer = await shared.post("/api/tasks", {"prompt": "x" * 300_000})
    assert_problem(answer, 422, "invalid_input")


@hurried
async def test_who_follows_is_not_hung_up_on(shared: PlayedHub) -> None:
    """Not before what happens later than that has come."""
    async with stream(shared, "/api/events", Accept="text/event-stream") as events, socket(shared) as ws:
        async with connected(shared, b"") as (reader, _):
            await heard(reader)  # somebody else's time is up, who came after them
        (seq,) = await happen(shared)
        assert (await events.next())["seq"] == (await receive(ws))["seq"] == seq


async def test_a_connection_that_became_a_socket_is_kept_in_no_second_way(shared: PlayedHub) -> None:
    def alive() -> int:
        gc.collect()
        return sum(isinstance(one, connections.Connection) for one in gc.get_objects())

    before = alive()
    async with socket(shared) as ws, asyncio.timeout(LIMIT):
        await (await ws.ping())
        assert alive() <= before
