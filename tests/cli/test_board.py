"""Which tasks a live view shows when there is no room for all."""

from collections.abc import Iterator
from io import StringIO
from itertools import count
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from swarm_api.events import Event
from swarm_api.tasks import Task
from swarm_api.words import FINISHED, TaskStatus
from swarm_cli.board import Board
from swarm_cli.live import View
from swarm_cli.screen import Screen

# A busy machine is no failure.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCREEN = Screen(terminal=True, colour=False, width=80)
STATUSES = st.lists(st.sampled_from(get_args(TaskStatus)), max_size=30)


def tasks(statuses: list[TaskStatus]) -> Iterator[Task]:
    for number, status in zip(count(), statuses, strict=False):
        yield Task.model_validate({
            "id": f"tsk_{number:016}", "status": status, "prompt": "Work", "type": "code", "model": "sonnet",
            "priority": "normal", "timeoutMinutes": 1, "maxAttempts": 1, "tier": "light", "hold": False,
            "deliver": "branch", "push": False, "repoSettings": "none", "createdAt": "2026-02-01T12:00:00Z", "seq": 1,
        })  # fmt: skip


@unhurried
@given(STATUSES, st.integers(1, 40))
def test_the_room_is_used_and_no_more(statuses: list[TaskStatus], room: int) -> None:
    shown = Board(tasks(statuses), 0).most_telling(room)
    assert len(shown) == min(room, len(statuses))
    assert len({task["id"] for task in shown}) == len(shown)


@unhurried
@given(STATUSES, st.integers(1, 40))
def test_nothing_is_shown_in_place_of_what_runs(statuses: list[TaskStatus], room: int) -> None:
    shown = [task["status"] for task in Board(tasks(statuses), 0).most_telling(room)]
    assert shown.count("running") == min(room, statuses.count("running"))


def test_what_ended_lately_is_seen_although_much_waits() -> None:
    waiting: list[TaskStatus] = ["pending"] * 20
    statuses: list[TaskStatus] = ["completed", "failed", *waiting]
    shown = [task["status"] for task in Board(tasks(statuses), 0).most_telling(10)]
    assert shown == ["pending"] * 8 + ["failed", "completed"]


def test_a_board_has_ended_with_its_last_task() -> None:
    assert Board(tasks(list(FINISHED)), 0).ended
    assert not Board(tasks(["completed", "pending"]), 0).ended


@pytest.mark.parametrize("partial", [True, False])
def test_counts_that_are_not_of_all_tasks_say_so(partial: bool) -> None:
    written = StringIO()
    console = Console(file=written, width=80)
    console.print(View(Board(tasks(["pending"] * 2), 0, partial=partial), SCREEN, steady=False).drawn())
    said = written.getvalue().splitlines()[0].rstrip()
    assert said == "○ 2 pending" + ("  of the newest 2" if partial else "")


def test_what_holds_up_all_tasks_is_shown_among_the_events() -> None:
    written = StringIO()
    console = Console(file=written, width=80)
    view = View(Board(tasks(["pending"]), 0), SCREEN, steady=False)
    payload = {"scope": "daily", "limitCents": 5000, "spentCents": 4100}
    fields = {"seq": 1, "type": "budget_warning", "payload": payload, "timestamp": "2026-02-01T12:00:00Z"}
    view.take([Event.model_validate(fields)])
    console.print(view.drawn())
    assert "  budget warning  the day: $41.00 of $50.00 spent" in written.getvalue()


def test_what_tasks_cost_is_shown_once_one_costs() -> None:
    board, written = Board(tasks(["running", "pending"]), 0), StringIO()
    console = Console(file=written, width=80)
    console.print(View(board, SCREEN, steady=False).drawn())
    assert "COST" not in written.getvalue()
    board.tasks["tsk_" + "0" * 16] = {**board.tasks["tsk_" + "0" * 16], "costMicroUsd": 1_230_000}
    console.print(View(board, SCREEN, steady=False).drawn())
    assert "$1.23" in written.getvalue()
