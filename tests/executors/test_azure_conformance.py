"""The executor for Azure does what every executor does."""

from collections.abc import AsyncIterator

import pytest

from executors.azure_place import AzurePlace
from executors.conformance import Conformance


class TestAzure(Conformance):
    @pytest.fixture
    async def place(self) -> AsyncIterator[AzurePlace]:
        async with AzurePlace() as place:
            yield place
            assert place.azure.faults == []
