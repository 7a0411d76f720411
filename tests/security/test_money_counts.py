"""What the API's count of a prompt leaves out is held for all the same."""

from typing import Any

from gateway.conftest import Playing
from scripted_api import ScriptedApi, Text, Turn

PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}
SCHEMA = {"type": "object", "description": "d" * 50_000}


async def held_tokens(agent: Playing, api: ScriptedApi, **fields: Any) -> int:
    """Of a prompt whose count is asked for."""
    api.count = 1_000
    api.scripts["Go"] = [Turn((Text("Done."),))]
    messages = [{"role": "user", "content": [{"type": "text", "text": "Go"}, PDF]}]
    await agent.ask("Go", max_tokens=1, messages=messages, **fields)
    (call,) = await agent.calls()
    return int(call.hold_micro_usd) // 3


async def test_the_form_of_an_answer_is_read_by_the_model_too(agent: Playing, api: ScriptedApi) -> None:
    """An agent would have a long prompt for the price of a short one, with any document in it."""
    form = {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert await held_tokens(agent, api, output_config=form) > 50_000


async def test_what_the_model_does_not_read_is_not_held_for(agent: Playing, api: ScriptedApi) -> None:
    assert await held_tokens(agent, api, metadata={"user_id": "u" * 5_000}) < 3_000
