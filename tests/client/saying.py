"""A server that says what a test wrote down: for answers no healthy hub gives."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

SSE = "text/event-stream"
HANG_UP = b""
"""The connection is closed without an answer."""


def answer(status: int, body: bytes = b"{}", kind: str = "application/json", **headers: str) -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Server:
    """Gives its answers one after another, each on its own connection, and keeps the heads of the requests."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = list(answers)
        self.requests: list[str] = []
        self.url = ""

    def header(self, name: str) -> list[str | None]:
        """A header's value in each request."""
        found = []
        for request in self.requests:
            lines = [line.partition(": ") for line in request.split("\r\n")[1:]]
            found.append(next((value for key, _, value in lines if key.lower() == name.lower()), None))
        return found

    async def say(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            writer.close()
            return
        self.requests.append(head.decode())
        writer.write(self._answers.pop(0) if self._answers else answer(500))
        await writer.drain()
        writer.close()


@asynccontextmanager
async def saying(*answers: bytes) -> AsyncIterator[Server]:
    server = Server(answers)
    listener = await asyncio.start_server(server.say, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
