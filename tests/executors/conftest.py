"""Shared by the tests of all executors."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("executors.conformance")

from executors.local_place import LocalPlace  # noqa: E402 - what is imported before cannot be rewritten
from executors.slurm_cluster import SlurmCluster, running_cluster  # noqa: E402


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalPlace]:
    place = LocalPlace(tmp_path)
    yield place
    await place.aclose()


@pytest.fixture(scope="session")
def slurm() -> Iterator[SlurmCluster]:
    """A cluster for all tests, each of which leaves its jobs ended."""
    with running_cluster() as cluster:
        yield cluster
