"""The projection is what a naive look at the whole database gives, whatever happened and whoever died meanwhile."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.histories import History, Step, steps, wishes
from swarm_api.tasks import TaskIn
from swarm_hub.analytics import source


@pytest.fixture(autouse=True, scope="module")
def _small_pages() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "PAGE", 3)
        patch.setattr(source, "LINES", 4)
        yield


@settings(max_examples=25, deadline=None)
@given(begun=st.lists(wishes, min_size=1, max_size=3), then=st.lists(steps, min_size=10, max_size=50))
def test_it_equals_a_naive_recomputation_however_it_was_fed(begun: list[TaskIn], then: list[Step]) -> None:
    """In pages of three rows, pages fed twice, restarts and rebuilds between; and sums equal to the micro-dollar."""
    with tempfile.TemporaryDirectory() as folder, closing(History(Path(folder))) as history:
        for wish in begun:
            history.submit(wish, depends=False)
        for name, given_ in then:
            getattr(history, name)(*given_)
        history.compare()
        history.make_again()
        history.compare()
