"""Reports on disk: in order, once, however the hub acknowledges them."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm_worker.spool import SHRINK, Rewound, Spool


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool")
    yield spool
    spool.close()


def fill(spool: Spool, count: int) -> None:
    for _ in range(count):
        spool.append(b"%d" % (spool.last + 1))


def test_what_is_not_acknowledged_is_given_again(spool: Spool) -> None:
    fill(spool, 3)
    assert spool.batch(2, 1_000) == [b"1", b"2"]
    assert spool.batch(9, 1_000) == [b"1", b"2", b"3"]


def test_an_acknowledgement_of_a_part_goes_on_after_it(spool: Spool) -> None:
    fill(spool, 3)
    spool.acknowledge(2)
    assert spool.batch(9, 1_000) == [b"3"]


def test_a_hub_that_has_less_than_it_said_gets_it_again(spool: Spool) -> None:
    fill(spool, 3)
    spool.acknowledge(3)
    spool.acknowledge(1)
    assert spool.batch(9, 1_000) == [b"2", b"3"]


def test_a_batch_is_bounded_in_bytes_but_never_empty(spool: Spool) -> None:
    spool.append(b"x" * 100)
    spool.append(b"y")
    assert spool.batch(9, 10) == [b"x" * 100]
    spool.acknowledge(1)
    assert spool.batch(9, 10) == [b"y"]


def test_an_emptied_file_is_cut_back_and_goes_on(spool: Spool, tmp_path: Path) -> None:
    for _ in range(3):
        spool.append(b"z" * SHRINK)
        assert spool.batch(9, 10 * SHRINK) == [b"z" * SHRINK]
        spool.acknowledge(spool.last)
        assert spool.waiting == 0
    fill(spool, 2)
    assert spool.batch(9, 1_000) == [b"4", b"5"]


def test_a_report_that_is_gone_cannot_be_asked_for(spool: Spool) -> None:
    spool.append(b"z" * (SHRINK + 1))
    spool.acknowledge(1)
    with pytest.raises(Rewound):
        spool.acknowledge(0)


def test_a_report_that_finds_no_room_leaves_no_trace(spool: Spool) -> None:
    """The limit on file sizes stands in for a full disk: both let a part of a write through."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    fill(spool, 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError, match=r"File too large|wrote"):
            spool.append(b"x" * 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    fill(spool, 1)
    assert spool.batch(9, 1_000) == [b"1", b"2"]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    fill(spool, 1)
    assert list(tmp_path.iterdir()) == []
    spool.close()


@given(st.lists(st.tuples(st.sampled_from(["append", "send", "part", "lost"]), st.integers(1, 5))))
def test_a_hub_gets_every_report_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    spool, stored = Spool(tmp_path_factory.mktemp("spool") / "spool"), list[bytes]()
    for step, count in [*steps, ("send", 10_000)]:
        if step == "append":
            fill(spool, count)
            continue
        batch = spool.batch(count, 1_000_000)
        taken = batch[: count // 2] if step == "part" else batch
        stored += taken
        if step != "lost":  # the answer got lost: the hub has them, the worker does not know
            spool.acknowledge(len(stored))
        else:
            stored = stored[: len(stored) - len(taken)]
    assert stored == [b"%d" % n for n in range(1, spool.last + 1)]
    spool.close()
