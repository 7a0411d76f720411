"""What follows for a task from what it depends on."""

import pytest

from scheduler.desk import Desk
from swarm_api.errors import Conflict


def test_a_task_that_two_failures_blocked_revives_with_the_second_retry(desk: Desk) -> None:
    desk.submit("one")
    desk.submit("two")
    desk.submit("both", "one", "two")
    desk.fail("one")
    desk.fail("two")
    desk.retry("one")
    assert desk.status("both") == "cancelled"
    desk.retry("two")
    assert desk.status("both") == "pending"


def test_what_depends_on_a_revived_task_revives_whichever_failure_came_first(desk: Desk) -> None:
    desk.submit("one")
    desk.submit("two")
    desk.submit("both", "one", "two")
    desk.submit("last", "both")
    desk.fail("two")
    desk.fail("one")
    desk.retry("two")
    desk.retry("one")
    assert desk.status("last") == "pending"


def test_a_held_task_is_still_held_when_it_revives(desk: Desk) -> None:
    desk.submit("first")
    desk.submit("held", "first", hold=True)
    desk.fail("first")
    desk.retry("first")
    assert desk.tick() == ["first"]
    desk.begin("first")
    desk.end("first")
    assert desk.tick() == []


def test_a_task_that_somebody_cancelled_does_not_revive_with_what_it_depends_on(desk: Desk) -> None:
    desk.submit("first")
    desk.submit("second", "first")
    desk.cancel("second")
    desk.fail("first")
    desk.retry("first")
    assert desk.status("second") == "cancelled"


def test_a_retry_behind_a_failure_is_refused_and_names_it(desk: Desk) -> None:
    desk.submit("first")
    desk.submit("second", "first")
    desk.fail("first")
    with pytest.raises(Conflict) as refusal:
        desk.retry("second")
    assert refusal.value.code == "dependency_failed"
    assert refusal.value.data["dependsOn"] == [desk.task("first").id]
