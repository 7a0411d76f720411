"""The executor for Fly does what every executor does."""

from collections.abc import AsyncIterator

import pytest

from executors.conformance import Conformance
from executors.fly_place import FlyPlace


class TestFly(Conformance):
    @pytest.fixture
    async def place(self) -> AsyncIterator[FlyPlace]:
        async with FlyPlace() as place:
            yield place
            assert place.fly.faults == []
