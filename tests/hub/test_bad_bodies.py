"""Bodies that are no JSON, too large, or say what nobody asked for. Nothing a caller sends is a 500."""

from collections.abc import AsyncIterator

import pytest

from hub.played import PlayedHub
from hub.problems import assert_problem
from hub.submitting import UNKNOWN, submit, submit_bytes

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("nothing_stored")]


@pytest.mark.parametrize(
    "body",
    [
        b" ", b"{", b"nonsense", b"'x'", b'{"prompt": "a",}', b'{"prompt": "a"} x', b"\xff\xfe{\x00}\x00",
        b'{"prompt": "\xff"}', b'{"prompt": "\xed\xa0\x80"}', b'{"prompt": "\\ud800"}', b'{"prompt": "a\x00b"}',
        b'{"prompt": "a", "timeoutMinutes": NaN}', b'{"prompt": "a", "timeoutMinutes": Infinity}',
        b'{"prompt": "a", "timeoutMinutes": -Infinity}', b"[" * 100_000, b'{"a":' * 100_000,
        b'{"prompt": "a", "maxAttempts": 1' + b"0" * 5_000 + b"}",
    ],
    ids=range(17),
)  # fmt: skip
async def test_a_body_that_is_no_json_in_utf8_is_malformed(shared: PlayedHub, body: bytes) -> None:
    assert_problem(await submit_bytes(shared, body), 400, "malformed_request")


async def test_no_body_is_one_without_fields(shared: PlayedHub) -> None:
    assert_problem(await submit_bytes(shared, b""), 422, "invalid_input", "prompt")


@pytest.mark.parametrize("body", [b"null", b"1", b'"Go"', b"[]", b'[{"prompt": "Go"}]', b"true"])
async def test_a_body_that_is_no_object_is_refused(shared: PlayedHub, body: bytes) -> None:
    assert_problem(await submit_bytes(shared, body), 422, "invalid_input")


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1" + b"0" * 300, b"-0.0", b"1e-400"])
async def test_a_huge_or_tiny_number_is_refused_where_it_does_not_fit(shared: PlayedHub, number: bytes) -> None:
    answer = await submit_bytes(shared, b'{"prompt": "Go", "timeoutMinutes": ' + number + b"}")
    assert answer.status_code in (400, 422), answer.text


async def test_a_body_of_more_than_10_mb_is_refused(shared: PlayedHub) -> None:
    answer = await submit_bytes(shared, b'{"prompt": "' + b"a" * (10 * 1024 * 1024) + b'"}')
    assert_problem(answer, 413, "too_large")


async def test_a_body_of_more_than_10_mb_without_its_length_is_refused(shared: PlayedHub) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"a" * 1024 * 1024

    answer = await shared.http.post("/api/tasks", content=pieces(), headers={"Content-Type": "application/json"})
    assert_problem(answer, 413, "too_large")


async def test_a_million_unknown_fields_do_not_make_a_huge_answer(shared: PlayedHub) -> None:
    body = b'{"prompt":"Go",' + b",".join(b'"k%d":0' % i for i in range(200_000)) + b',"' + b"x" * 100_000 + b'":0}'
    answer = await submit_bytes(shared, body)
    assert_problem(answer, 422, "invalid_input")
    assert len(answer.content) < 100_000


async def test_a_very_long_field_name_is_not_repeated_in_full(shared: PlayedHub) -> None:
    answer = await submit(shared, **{"x" * 1_000_000: 1})
    assert_problem(answer, 422, "invalid_input")
    assert len(answer.content) < 10_000


@pytest.mark.parametrize("path", ["cancel", "retry"])
async def test_what_takes_no_such_field_says_so(shared: PlayedHub, path: str) -> None:
    answer = await shared.post(f"/api/tasks/{UNKNOWN}/{path}", {"reason": "because"})
    assert_problem(answer, 422, "invalid_input", "reason")


@pytest.mark.parametrize("path", [f"/api/execute/{UNKNOWN}", "/api/execute/batch"])
async def test_execute_takes_no_fields(shared: PlayedHub, path: str) -> None:
    assert_problem(await shared.post(path, {"force": True}), 422, "invalid_input", "force")
