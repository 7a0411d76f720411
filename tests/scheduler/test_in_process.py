"""The executor that the scheduler is tested with does what every executor does."""

import pytest

from executors.conformance import Conformance
from scheduler.inprocess import Place


class TestInProcess(Conformance):
    @pytest.fixture
    def place(self) -> Place:
        return Place()
