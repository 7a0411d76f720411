"""Whatever is shown for a credential: no 500, and others are served meanwhile."""

import asyncio
import base64
import json
import threading
from contextlib import suppress

import bcrypt
import httpx
import pytest

from hub.played import LIMIT, PlayedHub
from hub.problems import assert_problem
from identity.asking import TOKEN, ask, make_key
from identity.credentials import HS256, SECRET, Wallet, by_hand, hmac_with
from swarm_hub.identity import keys

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE = 120  # seconds; the crowd lives in the hub's own process here, and both share the machine with others
DEEP = 1_200  # brackets; more do not fit into what may be shown


@pytest.fixture(name="hub")
def _hub(rested: PlayedHub) -> PlayedHub:
    return rested


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def headed(header: str | bytes) -> str:
    """A token with this header."""
    return f"{encoded(header.encode() if isinstance(header, str) else header)}.{encoded(b'{}')}.x"


KEYS = {
    "5,000 characters": "k" * 5_000,
    "a key's beginning and 5,000 characters": "sk_swarm_abcdefgh_" + "k" * 5_000,
    "one character too many": f"sk_swarm_abcdefgh_{'k' * 44}",
    "one too few": f"sk_swarm_abcdefgh_{'k' * 31}",
    "no id": f"sk_swarm__{'k' * 43}",
    "an id of great letters": f"sk_swarm_ABCDEFGH_{'k' * 43}",
    "NUL": f"sk_swarm_abcdefgh_{'k' * 20}\0{'k' * 20}",
    "NUL at the end": f"sk_swarm_abcdefgh_{'k' * 40}\0",
    "a newline at the end": f"sk_swarm_abcdefgh_{'k' * 43}\n",
    "letters of other alphabets": f"sk_swarm_abcdefgh_{'ключ' * 10}",
    "digits of other alphabets": f"sk_swarm_abcdefgh_{'٣' * 43}",
    "an id of other digits": f"sk_swarm_{'٣' * 8}_{'k' * 43}",
    "a full stop in an id": f"sk_swarm_abc.efgh_{'k' * 43}",
    "emoji": "🔑" * 40,
    "a line of a log": "x\n2026-01-01 ERROR [-] swarm_hub: all is lost",
    "a terminal's colours": "\x1b[31mred",
    "SQL": "' OR '1'='1",
}

HEADERS = {
    "5,000 characters": "k" * 5_000,
    "60,000 characters": "k" * 60_000,
    "a long token": headed(json.dumps(HS256)) + "s" * 40_000,
    "Latin letters": "sk_swarm_ÄÖÜäöü_" + "é" * 43,
    "bytes that are no UTF-8": "\xff\xfe\xfd",
    "a tab": "a\tb",
    "digits of other alphabets": "²³¹" * 12,
    "a header with 1,200 brackets": headed("[" * DEEP + "]" * DEEP),
    "a header of 400 objects": headed('{"a":' * (DEEP // 3) + "1" + "}" * (DEEP // 3)),
    "a header that is a long number": headed("1" * 2_000),
    "a header that is nothing": headed("null"),
    "a header that is no UTF-8": headed(b"\xff\xfe" * 9),
    "a header without its end": headed('{"alg": "HS256"'),
    "an algorithm of 2,000 letters": headed(json.dumps({"alg": "x" * 2_000})),
    "a compressed one": headed(json.dumps({**HS256, "zip": "DEF"})),
    "a key in the header": headed(json.dumps({**HS256, "jwk": {"kty": "oct", "k": "AA"}})),
    "a key's address in the header": headed(json.dumps({**HS256, "jku": "http://127.0.0.1:1/"})),
    "a key's file in the header": headed(json.dumps({**HS256, "kid": "../../dev/null"})),
    "a number for its kid": headed(json.dumps({**HS256, "kid": 7})),
    "five parts": ".".join([encoded(b"{}")] * 5),
    "a worker token of other digits": f"local-agent-00000000.{'²' * 10}.{'A' * 44}",
    "a worker token without an end in sight": f"local-agent-00000000.{'9' * 12}.{'A' * 44}",
}


@pytest.mark.parametrize("kind", KEYS)
async def test_no_body_with_a_key_is_too_strange(hub: PlayedHub, kind: str) -> None:
    answer = await hub.post(TOKEN, {"apiKey": KEYS[kind]})
    assert_problem(answer, 401, "not_authenticated")
    assert answer.json()["detail"] == "the API key is not valid"


@pytest.mark.parametrize("kind", HEADERS)
async def test_no_header_is_too_strange(hub: PlayedHub, kind: str, wallet: Wallet) -> None:
    header = {"Authorization": f"Bearer {HEADERS[kind]}".encode("latin-1")}
    for path in ("/api/tasks", f"/worker/v1/agents/{wallet.agent.id}/reports", "/anthropic/v1/messages"):
        method = "GET" if path == "/api/tasks" else "POST"
        answer = await hub.http.request(method, path, headers=header)  # type: ignore[arg-type]
        assert_problem(answer, 401, "not_authenticated")


async def test_a_signed_token_of_a_thousand_brackets_is_refused(hub: PlayedHub, wallet: Wallet) -> None:
    deep = json.loads("[" * 900 + "]" * 900)
    token = by_hand(HS256, {**wallet.claims, "scope": deep}, hmac_with(SECRET.encode()))
    assert_problem(await ask(hub, token), 401, "not_authenticated")


async def test_a_lone_surrogate_in_a_key_is_refused(hub: PlayedHub) -> None:
    answer = await hub.http.post(TOKEN, content=b'{"apiKey": "\\ud800"}')
    assert answer.status_code in (400, 401, 422)


async def test_a_head_beyond_all_measure_ends_its_connection_alone(hub: PlayedHub) -> None:
    answer = await _raw(hub, b"GET /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + b"k" * 1_000_000)
    assert not answer or answer.split()[1].startswith(b"4")
    assert (await hub.get("/api/tasks")).status_code == 200


async def test_a_thousand_wrong_keys_at_once_hold_nobody_up(hub: PlayedHub) -> None:
    """A key takes a twentieth of a second to check: not in the loop that serves the others."""
    limits = httpx.Limits(max_connections=1_000)
    async with httpx.AsyncClient(base_url=hub.url, limits=limits, trust_env=False, timeout=PATIENCE) as crowd:
        wrong = [
            asyncio.create_task(crowd.get("/api/tasks", headers={"Authorization": f"Bearer sk_swarm_nobodys_{n:032}"}))
            for n in range(1_000)
        ]
        served = await _served_while(hub, wrong)
        answers = await asyncio.gather(*wrong)
    assert sorted({answer.status_code for answer in answers}) == [401, 429]
    assert sum(answer.status_code == 401 for answer in answers) <= 20  # ten a minute, should it take longer
    assert set(served) == {200}


async def test_others_are_answered_while_a_key_is_checked(hub: PlayedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    made, check = await make_key(hub), threading.Event()

    def takes_long(key: str, hash_: bytes) -> bool:
        assert check.wait(LIMIT)
        return bcrypt.checkpw(key.encode(), hash_)

    monkeypatch.setattr(keys, "matches", takes_long)
    checking = asyncio.create_task(ask(hub, made["key"]))
    answers = [await hub.get("/health/live"), await hub.get("/api/tasks")]
    assert not checking.done()
    check.set()
    assert [answer.status_code for answer in (*answers, await checking)] == [200, 200, 200]


async def _served_while(hub: PlayedHub, others: list[asyncio.Task[httpx.Response]]) -> list[int]:
    served = []
    while not all(other.done() for other in others):
        served.append((await hub.http.get("/api/tasks?limit=1", timeout=PATIENCE)).status_code)
    return served


async def _raw(hub: PlayedHub, head: bytes) -> bytes:
    host, port = hub.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    with suppress(ConnectionError):
        writer.write(head)
        await writer.drain()
        writer.write(b"\r\n\r\n")
    answer = b""
    with suppress(ConnectionError):
        answer = await reader.read(100)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return answer
