"""The shipped price table."""

import pytest

from swarm_hub.prices import Prices


@pytest.fixture(scope="session")
def prices() -> Prices:
    return Prices.load()
