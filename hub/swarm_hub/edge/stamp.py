"""The headers of every answer, made once: what a browser may do with it, which is next to nothing."""

from collections.abc import Collection, Iterable

from starlette.types import Message, Send

from swarm_hub.edge.origins import cors_headers

Headers = tuple[tuple[bytes, bytes], ...]

ALWAYS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),  # does not hold for CORS, which asks for itself
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
HTTPS: Headers = ((b"strict-transport-security", b"max-age=31536000"),)
"""A year, for this name alone: the names below it may be other people's."""

_OWN_WORD = frozenset({b"cache-control", b"content-security-policy"})
"""Where an answer that says something itself is not told otherwise."""

_BEGINNINGS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})


class Stamps:
    """What each answer is given, by the origin that may read it and by how it was asked for."""

    def __init__(self, origins: Collection[bytes]) -> None:
        always = (*ALWAYS, (b"vary", b"Origin")) if origins else ALWAYS
        self._lines: dict[tuple[bytes | None, bool], Headers] = {(None, False): always, (None, True): always + HTTPS}
        for origin in origins:
            self._lines[origin, False] = always + cors_headers(origin)
            self._lines[origin, True] = always + HTTPS + cors_headers(origin)

    def stamp(self, send: Send, request_id: str, origin: bytes | None, secure: bool) -> Send:
        """A `send` that adds them. An origin that is not allowed is none."""
        line = self._lines.get((origin, secure)) or self._lines[None, secure]
        number = (b"x-request-id", request_id.encode())

        async def stamped(message: Message) -> None:
            if message["type"] in _BEGINNINGS:
                message["headers"] = _complete(message.get("headers", ()), number, line)
            await send(message)

        return stamped


def _complete(
    own: Iterable[tuple[bytes, bytes]], number: tuple[bytes, bytes], line: Headers
) -> list[tuple[bytes, bytes]]:
    names = {name for name, _ in own}
    if names.isdisjoint(_OWN_WORD):
        return [*own, number, *line]
    return [*own, number, *(header for header in line if header[0] not in names)]
