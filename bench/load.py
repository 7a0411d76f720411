"""Many keep-alive connections in one process, at little cost: the client must not be the limit."""

import re
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.hub import KEY

Address = tuple[str, int]
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """Times are `time.monotonic()`, which all processes of a machine share."""

    sent: float
    answered: float
    status: int
    body: bytes

    @property
    def milliseconds(self) -> float:
        return (self.answered - self.sent) * 1000


class Connection:
    """HTTP/1.1, one request at a time."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self._sent = 0.0

    def send(self, request: bytes) -> None:
        self._sent = time.monotonic()
        self.socket.sendall(request)

    def receive(self) -> Answer | None:
        """The answer, when what has come completes it."""
        data = self.socket.recv(1 << 15)
        if not data:
            raise ConnectionError("the hub closed a connection")
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or length is None or len(body) < int(length.group(1)):
            return None
        self._received = b""
        return Answer(self._sent, time.monotonic(), int(head[9:12]), body)

    def exchange(self, request: bytes) -> Answer:
        self.send(request)
        while (answer := self.receive()) is None:
            pass
        return answer


def request(method: str, path: str, body: bytes = b"", credential: str | None = KEY) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    if body:
        lines.append("Content-Type: application/json")
    if credential:
        lines.append(f"Authorization: Bearer {credential}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def closed_loop(address: Address, clients: Sequence[Iterator[bytes]], seconds: float) -> list[Answer]:
    """Each client sends its next request as soon as its last one is answered."""
    answers: list[Answer] = []
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for requests in clients:
            connection = Connection(address)
            selector.register(connection.socket, selectors.EVENT_READ, (connection, requests))
            connection.send(next(requests))
        while selector.get_map():
            for key, _ in selector.select(30):
                connection, requests = key.data
                answer = connection.receive()
                if answer is None:
                    continue
                answers.append(answer)
                if answer.answered < end:
                    connection.send(next(requests))
                else:
                    selector.unregister(connection.socket)
                    connection.socket.close()
    return answers


def paced(address: Address, requests: Iterator[bytes], rate: float, seconds: float) -> list[Answer]:
    """`rate` requests a second, on as many connections as it takes, whatever the answers take."""
    answers: list[Answer] = []
    start = time.monotonic()
    total = int(rate * seconds)
    sent = 0
    with selectors.DefaultSelector() as selector:
        free: list[Connection] = []
        while len(answers) < total:
            due = start + sent / rate
            while sent < total and time.monotonic() >= due:
                if not free:
                    free.append(Connection(address))
                    selector.register(free[0].socket, selectors.EVENT_READ, free[0])
                free.pop().send(next(requests))
                sent += 1
                due = start + sent / rate
            for key, _ in selector.select(max(0.0, due - time.monotonic()) if sent < total else 30):
                if answer := key.data.receive():
                    answers.append(answer)
                    free.append(key.data)
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    return answers
