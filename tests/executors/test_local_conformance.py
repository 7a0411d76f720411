"""The local executor does what every executor does."""

import pytest

from executors.conformance import Conformance
from executors.local_place import LocalPlace


class TestLocal(Conformance):
    @pytest.fixture
    def place(self, local: LocalPlace) -> LocalPlace:
        return local
