"""A token of this machine's user that was stolen does not live on in those that it was refreshed to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.played import PlayedHub, played_hub
from identity.asking import end_token, refresh, status


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    async with played_hub(tmp_path) as hub:
        yield hub


async def test_revoking_one_ends_all_of_them(hub: PlayedHub) -> None:
    identity = hub.parts.identity
    token = identity.signer.sign(hub.parts.grants.for_this_run(identity.clock()), identity.clock())
    other = await refresh(hub, token)
    await end_token(hub, token)
    assert [await status(hub, each) for each in (token, other)] == [401, 401]
    assert hub.parts.local_ended.is_set()
