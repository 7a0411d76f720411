"""Many readers of streams in one process: raw sockets that look at each message no longer than they must."""

import base64
import re
import selectors
import socket
import time
from array import array
from collections.abc import Callable, Sequence
from typing import Protocol

from bench.hub import KEY
from bench.load import Address

_SEQ = re.compile(rb'"seq": ?(\d+)')
_MARK = b"\nid: "
_RECEIVE = 1 << 15
_HEAD = f"Host: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"


class Stream(Protocol):
    socket: socket.socket
    received: int

    def take(self, data: bytes, now: float) -> None: ...


class Arrivals:
    """When which event reached some reader. Pairs in two arrays: millions of objects would be the bottleneck."""

    def __init__(self) -> None:
        self.seqs = array("q")
        self.times = array("d")

    def add(self, seq: int, now: float) -> None:
        self.seqs.append(seq)
        self.times.append(now)

    def delays(self, since: dict[int, float]) -> list[float]:
        """Milliseconds from a moment of each event to its arrivals."""
        pairs = zip(self.seqs, self.times, strict=True)
        return [(at - since[seq]) * 1000 for seq, at in pairs if seq in since]


class EventSocket:
    """A WebSocket follower: every frame is one event."""

    def __init__(self, address: Address, arrivals: Arrivals) -> None:
        key = base64.b64encode(bytes(16)).decode()
        upgrade = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}"
        self.socket = _open(address, f"GET /ws?after=0 HTTP/1.1\r\n{_HEAD}{upgrade}\r\n\r\n")
        self.received = 0
        self._arrivals = arrivals
        self._rest = _after_head(self.socket, b" 101 ")

    def take(self, data: bytes, now: float) -> None:
        data = self._rest + data
        at = 0
        while (frame := _frame(data, at)) is not None:
            start, end = frame
            if data[at] & 0x0F == 1:  # text; a ping is left alone, the hub waits longer for its answer than we stay
                seq = _SEQ.search(data, start, min(end, start + 64))
                assert seq, data[start:end]
                self.received += 1
                self._arrivals.add(int(seq.group(1)), now)
            at = end
        self._rest = data[at:]


class EventStream:
    """An SSE reader. Of what comes at once only the oldest message is timed: the one that waited longest."""

    def __init__(self, address: Address, path: str, arrivals: Arrivals) -> None:
        self.socket = _open(address, f"GET {path} HTTP/1.1\r\n{_HEAD}Accept: text/event-stream\r\n\r\n")
        self.received = 0
        self._arrivals = arrivals
        self._rest = _after_head(self.socket, b" 200 ")[-len(_MARK) :]

    def take(self, data: bytes, now: float) -> None:
        data = self._rest + data
        found = data.count(_MARK)
        if found:
            self.received += found
            start = data.index(_MARK) + len(_MARK)
            end = data.find(b"\r", start, start + 20)
            if end > 0:
                self._arrivals.add(int(data[start:end]), now)
        self._rest = data[-len(_MARK) + 1 :]


def read_until(streams: Sequence[Stream], done: Callable[[], bool], limit: float) -> None:
    """Read from all until `done()`, which is asked now and then. Raises `TimeoutError` after `limit` seconds."""
    end = time.monotonic() + limit
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream.socket, selectors.EVENT_READ, stream)
        while not done():
            if time.monotonic() > end:
                raise TimeoutError("the readers did not get everything in time")
            for key, _ in selector.select(0.05):
                data = key.data.socket.recv(_RECEIVE)
                if not data:
                    raise ConnectionError("the hub closed a stream")
                key.data.take(data, time.monotonic())


def close(streams: Sequence[Stream]) -> None:
    for stream in streams:
        stream.socket.close()


def _open(address: Address, head: str) -> socket.socket:
    connection = socket.create_connection(address, timeout=30)
    connection.sendall(head.encode())
    return connection


def _after_head(connection: socket.socket, status: bytes) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        data = connection.recv(_RECEIVE)
        if not data:
            raise ConnectionError("the hub closed a stream")
        received += data
    head, _, rest = received.partition(b"\r\n\r\n")
    if status not in head.splitlines()[0]:
        raise ConnectionError(head.decode())
    return rest


def _frame(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame at `at` begins and ends, when all of it is there."""
    if len(data) < at + 2:
        return None
    length, start = data[at + 1], at + 2
    if length >= 126:
        width = 2 if length == 126 else 8
        length, start = int.from_bytes(data[start : start + width], "big"), start + width
    return (start, start + length) if len(data) >= start + length else None
