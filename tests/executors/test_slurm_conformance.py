"""The executor for Slurm does what every executor does, on a real cluster of two nodes."""

from collections.abc import AsyncIterator

import pytest

from executors.conformance import Conformance
from executors.slurm_cluster import SlurmCluster
from executors.slurm_place import SlurmPlace


class TestSlurm(Conformance):
    @pytest.fixture
    async def place(self, slurm: SlurmCluster) -> AsyncIterator[SlurmPlace]:
        place = SlurmPlace(slurm)
        yield place
        await place.aclose()
