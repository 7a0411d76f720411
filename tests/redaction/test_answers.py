"""No answer holds a credential in use, and nothing else in it is changed."""

import asyncio
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from redaction.credentials import SAID, drawn
from swarm_api.redaction import MARK, Redactor
from swarm_hub.redacted import Redacted, credentials
from swarm_hub.settings import Settings
from swarm_hub.settings_table import SETTINGS

KEY = drawn(60).encode()
OTHER = KEY[:30] + b"-and-then-another-end"
MASK = {each: MARK.encode().ljust(len(each), b"*") for each in (KEY, OTHER)}
redactor = Redactor([KEY.decode(), OTHER.decode()])
HTTP: Scope = {"type": "http", "method": "GET", "path": "/api/tasks"}


def sent(messages: Iterable[Message], scope: Scope = HTTP) -> list[Message]:
    """What of these messages of an application reaches the server."""
    passed: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    async def receive() -> Message:
        raise AssertionError("nothing is asked of the client")

    async def send(message: Message) -> None:
        passed.append(message)

    asyncio.run(Redacted(app, redactor)(scope, receive, send))
    return passed


def body(*chunks: bytes) -> list[Message]:
    last = len(chunks) - 1
    return [{"type": "http.response.body", "body": chunk, "more_body": i < last} for i, chunk in enumerate(chunks)]


def answered(*chunks: bytes) -> bytes:
    return b"".join(message["body"] for message in sent(body(*chunks)))


@pytest.mark.parametrize("key", [KEY, OTHER])
def test_a_credential_in_use_is_masked_and_the_length_stays(key: bytes) -> None:
    whole = b'{"a":"%b","b":"%b"}' % (key, key)
    assert answered(whole) == whole.replace(key, MASK[key])
    assert len(answered(whole)) == len(whole)


@given(st.lists(st.sampled_from([KEY, OTHER, KEY[:30], b"x", b"\n", KEY[-5:]]), max_size=8), st.data())
def test_a_credential_is_found_however_the_body_is_cut(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    bounds = [0, *cuts, len(whole)]
    chunks = [whole[start:end] for start, end in pairwise(bounds)]
    assert answered(*chunks) == redactor.mask(whole)


def test_a_body_that_ends_without_a_word_is_whole() -> None:
    assert answered(b"it begins " + KEY[:20], b"") == b"it begins " + KEY[:20]


def test_no_frame_of_a_stream_waits_for_the_next() -> None:
    frames = [b"id: %d\r\ndata: {}\r\n\r\n" % i for i in range(5)]
    assert [message["body"] for message in sent(body(*frames, b""))] == [*frames, b""]


@pytest.mark.parametrize("shape", SAID)
def test_what_only_looks_like_a_credential_stays(shape: str) -> None:
    """A diff may hold one, and so does the answer that makes an API key."""
    line = SAID[shape][1].encode()
    assert answered(line) == line


def test_the_head_of_an_answer_stays_as_it_is() -> None:
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]}
    assert sent([start, *body(b"abc")])[0] == start


@pytest.mark.parametrize("message", [
    {"type": "websocket.send", "text": f"it is {KEY.decode()}"},
    {"type": "websocket.close", "code": 4400, "reason": f"it is {KEY.decode()}"},
])  # fmt: skip
def test_no_message_of_a_websocket_holds_one(message: Message) -> None:
    (passed,) = sent([dict(message)], {"type": "websocket", "path": "/ws"})
    assert MASK[KEY].decode() in str(passed)
    assert KEY.decode() not in str(passed)


def test_a_worker_gets_the_key_it_works_with_in_its_order_alone() -> None:
    path = "/worker/v1/agents/local-agent-0a1b2c3d/"
    assert sent(body(KEY), {**HTTP, "path": f"{path}claim"})[0]["body"] == KEY
    assert sent(body(KEY), {**HTTP, "path": f"{path}reports"})[0]["body"] == MASK[KEY]


def test_every_secret_setting_is_a_credential_in_use() -> None:
    given = {
        "jwt_secret": ("j" * 32, "J" * 32), "bootstrap_key": "b" * 50, "anthropic_api_key": "a" * 20,
        "otlp_headers": {"authorization": "Bearer " + "o" * 30, "x-tenant": ""},
        "github_token": "g" * 30, "fly_api_token": "FlyV1 fm2_" + "f" * 30, "slurm_jwt": "s" * 30,
    }  # fmt: skip
    assert given.keys() == {name for name, setting in SETTINGS.items() if setting.secret}
    used = ["j" * 32, "J" * 32, "b" * 50, "a" * 20, "o" * 30, "g" * 30, "FlyV1 fm2_" + "f" * 30, "s" * 30]
    assert sorted(credentials(Settings(**given))) == sorted(used)  # type: ignore[arg-type]
    assert credentials(Settings()) == []
