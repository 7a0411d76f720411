"""Shared by the tests of all executors."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("executors.conformance")

from executors.local_place import LocalPlace  # noqa: E402 - what is imported before cannot be rewritten


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalPlace]:
    place = LocalPlace(tmp_path)
    yield place
    await place.aclose()
