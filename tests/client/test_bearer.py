"""A credential travels in private or not at all, follows nobody, and is replaced where it is refused."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from client.saying import SSE, Server, answer, saying
from swarm_api.addresses import InsecureAddress
from swarm_api.client import HubClient
from swarm_api.errors import NotAuthenticated, SwarmError
from swarm_api.wire import Refused, Wire

QUEUE = b'{"pending":0,"ready":0,"blocked":{},"running":0,"capacity":1,"byPriority":{},"oldestReadySeconds":0,"seq":5}'
REFUSED = answer(401, b'{"code":"not_authenticated","detail":"the token has expired"}', "application/problem+json")
END = answer(200, b"event: end\ndata: {}\n\n", SSE)


class Purse:
    """A source that has these credentials, one after another."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.refused: list[str | None] = []

    def token(self) -> str | None:
        return self._tokens[0] if self._tokens else None

    def renewed(self, refused: str | None) -> str | None:
        self.refused.append(refused)
        self._tokens = self._tokens[1:]
        return self.token()

    def rest(self) -> None:
        return None


async def by_client(url: str, token: str | Purse | None, insecure: bool = False) -> None:
    async with HubClient(url, token, insecure=insecure) as client:
        await client.queue()


async def by_stream(url: str, token: str | Purse | None, insecure: bool = False) -> None:
    async with HubClient(url, token, insecure=insecure) as client:
        async for _ in client.follow_logs("tsk_1"):
            pass


async def by_wire(url: str, token: str | Purse | None, insecure: bool = False) -> None:
    wire = Wire(url, token, insecure=insecure)
    try:
        await asyncio.to_thread(wire.call, "GET", "/api/queue")
    finally:
        wire.close()


WAYS = pytest.mark.parametrize(("way", "good"), [
    (by_client, answer(200, QUEUE)), (by_stream, END), (by_wire, answer(200, QUEUE)),
], ids=["client", "stream", "wire"])  # fmt: skip
Way = Callable[..., Awaitable[None]]


def not_as_written(server: Server) -> str:
    """An address of the server that is loopback, but does not say so."""
    return f"http://127.1:{urlsplit(server.url).port}"


@WAYS
async def test_no_credential_is_sent_in_the_open(way: Way, good: bytes) -> None:
    async with saying(good) as server:
        with pytest.raises(InsecureAddress):
            await way(not_as_written(server), "a-secret")
        assert server.requests == []


@WAYS
async def test_it_is_if_that_is_wanted(way: Way, good: bytes) -> None:
    async with saying(good) as server:
        await way(not_as_written(server), "a-secret", insecure=True)
        assert server.header("authorization") == ["Bearer a-secret"]


@WAYS
async def test_without_a_credential_there_is_nothing_to_keep(way: Way, good: bytes) -> None:
    async with saying(good) as server:
        await way(not_as_written(server), None)
        assert server.header("authorization") == [None]


async def test_a_key_in_a_body_is_a_credential_too() -> None:
    async with saying(answer(200)) as server, HubClient(not_as_written(server)) as client:
        with pytest.raises(InsecureAddress):
            await client.token("sk_swarm_ofthetests_" + "k" * 40)
        assert server.requests == []


@WAYS
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["http", "https", ""])
async def test_a_redirect_is_not_followed(way: Way, good: bytes, status: int, scheme: str) -> None:
    async with saying(good) as elsewhere:
        place = elsewhere.url.removeprefix("http:")
        moved = answer(status, Location=f"{scheme}{':' if scheme else ''}{place}/api/queue")
        async with saying(moved) as server:
            with pytest.raises((SwarmError, Refused)):
                await way(server.url, "a-secret")
            assert len(server.requests) == 1
        assert elsewhere.requests == []


@WAYS
async def test_a_redirect_to_the_same_hub_is_not_followed_either(way: Way, good: bytes) -> None:
    async with saying(answer(307, Location="/elsewhere"), good) as server:
        with pytest.raises((SwarmError, Refused)):
            await way(server.url, "a-secret")
        assert len(server.requests) == 1


@WAYS
async def test_no_proxy_comes_between_a_client_and_its_own_machine(
    way: Way, good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with saying(good) as proxy, saying(good) as server:
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(variable, proxy.url)
        await way(server.url, "a-secret")
        assert len(server.requests) == 1
        assert proxy.requests == []


@WAYS
async def test_what_is_refused_is_sent_once_more_with_another_credential(way: Way, good: bytes) -> None:
    purse = Purse("first", "second")
    async with saying(REFUSED, good) as server:
        await way(server.url, purse)
        assert server.header("authorization") == ["Bearer first", "Bearer second"]
    assert purse.refused == ["first"]


@WAYS
async def test_it_is_sent_no_third_time(way: Way, good: bytes) -> None:
    async with saying(REFUSED, REFUSED, good) as server:
        with pytest.raises((NotAuthenticated, Refused), match="the token has expired"):
            await way(server.url, Purse("first", "second", "third"))
        assert len(server.requests) == 2


@WAYS
async def test_without_another_credential_it_is_not_sent_again(way: Way, good: bytes) -> None:
    async with saying(REFUSED, good) as server:
        with pytest.raises((NotAuthenticated, Refused)):
            await way(server.url, "first")
        assert len(server.requests) == 1


@WAYS
async def test_a_credential_that_is_found_after_a_refusal_is_sent(way: Way, good: bytes) -> None:
    """A hub that has just started may not have left its token yet."""

    class Late(Purse):
        def renewed(self, refused: str | None) -> str | None:
            return "found" if refused is None else None

    async with saying(REFUSED, good) as server:
        await way(server.url, Late())
        assert server.header("authorization") == [None, "Bearer found"]


async def test_a_submission_that_was_refused_happens_once() -> None:
    async with saying(REFUSED, answer(404)) as server, HubClient(server.url, Purse("first", "second")) as client:
        with pytest.raises(SwarmError):
            await client.submit({"prompt": "Work"})
    assert len(set(server.header("idempotency-key"))) == 1
    assert len(server.requests) == 2


@pytest.mark.parametrize("limited", [
    answer(429, b'{"code":"rate_limited","detail":"too many","retryAfter":7}', "application/problem+json"),
    answer(429, b"slow down", "text/plain", Retry_After="7"),
])  # fmt: skip
async def test_an_error_says_when_to_come_back(limited: bytes) -> None:
    async with saying(limited) as server, HubClient(server.url) as client:
        with pytest.raises(SwarmError) as refused:
            await client.queue()
    assert refused.value.data["retryAfter"] == 7


@pytest.mark.parametrize("header", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "soon", "9" * 5_000, "²"])
async def test_a_header_that_says_it_otherwise_is_no_number(header: str) -> None:
    async with saying(answer(429, Retry_After=header)) as server, HubClient(server.url) as client:
        with pytest.raises(SwarmError) as refused:
            await client.queue()
    assert "retryAfter" not in refused.value.data
