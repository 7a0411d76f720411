"""The gateway is the way to the model for agents that live, for what their runtime needs, and for nothing else."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from gateway.conftest import KEY, Playing, play
from hub.played import PlayedHub, played_hub
from scripted_api import Hang, ScriptedApi, Text, Turn
from swarm_hub.routes.table import ROUTES


async def test_the_agent_has_a_token_and_the_model_hears_the_key(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = [Turn((Text("Done."),))]
    await agent.ask("Go", {"anthropic-beta": "some-beta-2026", "cookie": "a=b", "authorization": "Bearer mine"})
    assert KEY not in json.dumps(agent.upstream)
    (seen,) = api.seen
    assert seen.headers["x-api-key"] == KEY
    assert seen.headers["anthropic-beta"] == "some-beta-2026"
    assert seen.headers["accept-encoding"] == "identity"
    assert not {"cookie", "authorization"} & seen.headers.keys()
    assert agent.upstream["apiKey"] not in json.dumps(dict(seen.headers))


async def test_what_an_answer_says_of_limits_reaches_the_runtime(agent: Playing, api: ScriptedApi) -> None:
    told = {"anthropic-ratelimit-requests-remaining": "41", "request-id": "req_1", "retry-after": "9"}
    api.scripts["Go"] = [Turn((Text("Done."),), headers={**told, "set-cookie": "a=b", "connection": "close"})]
    heard = await agent.ask("Go")
    assert told.items() <= heard.headers.items()
    assert "set-cookie" not in heard.headers


async def test_the_first_piece_comes_before_the_last_is_there(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = [Turn((Text("Done."),), faults=(Hang(after=2),))]
    url, shown = f"{agent.upstream['baseUrl']}/v1/messages", {"x-api-key": agent.upstream["apiKey"]}
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        http.stream("POST", url, json=agent.body("Go"), headers=shown) as answer,
        asyncio.timeout(20),
    ):
        assert b"message_start" in await anext(answer.aiter_raw())
        api.release()


async def test_an_agent_that_has_ended_is_refused_in_the_models_own_words(agent: Playing, api: ScriptedApi) -> None:
    await agent.worker.finish()
    answer = await agent.ask("Go")
    assert answer.status_code == 403
    assert answer.json() == {
        "type": "error",
        "error": {"type": "permission_error", "message": f"agent {agent.worker.agent_id} has ended"},
    }
    assert api.seen == []


@pytest.mark.parametrize("who", ["worker", "admin", "nobody", "nonsense"])
async def test_no_other_credential_opens_it(agent: Playing, api: ScriptedApi, who: str) -> None:
    shown = {
        "worker": {"x-api-key": agent.worker.token}, "admin": dict(agent.hub.bearer("admin")), "nobody": {},
        "nonsense": {"x-api-key": KEY},
    }  # fmt: skip
    async with httpx.AsyncClient(trust_env=False) as http:
        url = f"{agent.hub.url}/anthropic/v1/messages"
        assert (await http.post(url, json=agent.body("Go"), headers=shown[who])).status_code == 401
    assert api.seen == []


async def test_its_token_opens_nothing_else(agent: Playing) -> None:
    shown = {"Authorization": f"Bearer {agent.upstream['apiKey']}"}
    for route in ROUTES:
        if route.permission in ("open", "model") or route.method == "WS" or route.path.startswith("/api/auth"):
            continue
        path = route.path.replace("{id}", agent.worker.agent_id)
        assert (await agent.hub.http.request(route.method, path, headers=shown)).status_code == 401, route.path


@pytest.mark.parametrize("path", ["/v1/models", "/v1/files", "/v1/messages/batches", "//evil.example/v1/messages"])
async def test_no_other_path_goes_through(agent: Playing, api: ScriptedApi, path: str) -> None:
    shown = {"x-api-key": agent.upstream["apiKey"]}
    answer = await agent.hub.http.request("POST", f"/anthropic{path}", json={}, headers=shown)
    assert answer.status_code == 404
    assert api.seen == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model": 5}', b'"text"'])
async def test_what_is_no_call_is_refused_before_it_is_sent(agent: Playing, api: ScriptedApi, body: bytes) -> None:
    shown = {"x-api-key": agent.upstream["apiKey"]}
    answer = await agent.hub.http.post("/anthropic/v1/messages", content=body, headers=shown)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert api.seen == []
    assert await agent.calls() == []


async def test_nothing_of_prompt_or_answer_is_kept(hub: PlayedHub, agent: Playing, api: ScriptedApi) -> None:
    api.scripts["the secret plan"] = [Turn((Text("the secret answer"),))]
    await agent.ask("Tell me the secret plan")
    data = hub.parts.settings.data_dir
    for path in [path for path in data.rglob("*") if path.is_file()]:
        assert b"secret plan" not in path.read_bytes()
        assert b"secret answer" not in path.read_bytes()


async def test_a_hub_without_a_key_says_so_and_what_to_do(tmp_path: Path) -> None:
    """400, which the runtime does not ask again."""
    async with played_hub(tmp_path, runtime="claude") as hub:
        heard = await (await play(hub)).ask("Go")
    assert (heard.status_code, heard.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "swarm setup" in heard.json()["error"]["message"]
