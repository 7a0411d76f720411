"""What an agent sends beside the call reaches nobody: neither another address, nor another reading of the body."""

import httpx
import pytest

from gateway.conftest import KEY, Playing
from scripted_api import ScriptedApi, Text, Turn


@pytest.mark.parametrize(
    "header",
    [
        "x-portkey-custom-host", "helicone-target-url", "api-key", "x-goog-api-key", "x-litellm-api-key",  # elsewhere
        "cf-aig-metadata", "x-http-method-override", "content-encoding", "via", "x-real-ip",
        "request-id", "x-amzn-requestid",  # of an answer that was counted: if it came back, this one would be free
    ],
)  # fmt: skip
async def test_headers_that_other_gateways_obey_stay_here(agent: Playing, api: ScriptedApi, header: str) -> None:
    api.scripts["Go"] = [Turn((Text("Done."),))]
    await agent.ask("Go", {header: "identity"})
    assert header not in api.seen[0].headers


async def test_the_body_is_what_the_hub_read(agent: Playing, api: ScriptedApi) -> None:
    """In another character set the same bytes may be another request."""
    api.scripts["Go"] = [Turn((Text("Done."),))]
    await agent.ask("Go", {"content-type": "application/json; charset=utf-7"})
    assert api.seen[0].headers["content-type"] == "application/json"


async def test_what_the_runtime_says_of_itself_goes_on(agent: Playing, api: ScriptedApi) -> None:
    api.scripts["Go"] = [Turn((Text("Done."),))]
    said = {
        "anthropic-version": "2023-06-01", "x-claude-code-session-id": "1", "x-stainless-lang": "js", "x-app": "cli",
        "user-agent": "claude-cli", "anthropic-dangerous-direct-browser-access": "true",
    }  # fmt: skip
    await agent.ask("Go", said)
    assert said.items() <= dict(api.seen[0].headers).items()


async def test_two_keys_are_none(agent: Playing, api: ScriptedApi) -> None:
    """Whichever the hub reads, only its own goes on."""
    api.scripts["Go"] = [Turn((Text("Done."),))]
    shown = [("x-api-key", agent.upstream["apiKey"]), ("x-api-key", "sk-ant-mine"), ("Authorization", "Bearer mine")]
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.post(f"{agent.hub.url}/anthropic/v1/messages", json=agent.body("Go"), headers=shown)
    assert all(seen.headers["x-api-key"] == KEY for seen in api.seen)
