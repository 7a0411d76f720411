"""A token is good in the one form that the hub gave it: what is known is kept by its text, and there is little room."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.played import PlayedHub, played_hub
from identity.asking import exchange, make_key, status


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path) as hub:
        yield hub


@pytest.mark.parametrize("more", ["=", "==", "====", "=" * 1_000, "!", "\\"])
async def test_a_token_with_something_after_it_is_not_taken(hub: PlayedHub, more: str) -> None:
    token = await exchange(hub, (await make_key(hub))["key"])
    assert await status(hub, token + more) == 401
    assert await status(hub, token) == 200
