"""How one attempt at a task follows another."""

import pytest

from scheduler.desk import Desk
from swarm_api.errors import Conflict
from swarm_api.worker import Resume
from swarm_hub.endings import CANCEL_GRACE_MS


def test_a_fresh_attempt_that_never_began_is_followed_by_a_fresh_one(desk: Desk) -> None:
    desk.submit("task", max_attempts=2)
    desk.fail("task")
    desk.retry("task", fresh=True)
    desk.tick()
    desk.fail_to_start("task")
    assert desk.tick() == ["task"]
    assert desk.begin("task").resume is None


def test_what_follows_a_fresh_attempt_knows_no_session_from_before_it(desk: Desk) -> None:
    desk.submit("task", max_attempts=2)
    desk.run("task")
    desk.report_session("task", "before")
    desk.end("task", "failure", "agent_failed")
    desk.retry("task", fresh=True)
    desk.run("task")
    desk.end("task", "failure", "runtime_crashed")
    assert desk.run("task").resume == Resume(session_id=None)


def test_another_attempt_waits_until_nothing_of_the_last_one_runs(desk: Desk) -> None:
    desk.submit("task")
    desk.run("task")
    desk.cancel("task")
    desk.wait(CANCEL_GRACE_MS / 1000)
    desk.end_overdue("task")
    desk.retry("task")
    assert desk.tick() == []
    with pytest.raises(Conflict, match="still ending"):
        desk.execute("task")
    desk.release("task")
    assert desk.tick() == ["task"]


def test_a_worker_that_was_slow_to_begin_has_its_whole_time(desk: Desk) -> None:
    desk.submit("task", timeout_minutes=10)
    desk.execute("task")
    desk.wait(9 * 60)
    desk.begin("task")
    desk.wait(9 * 60)
    desk.end_overdue("task")
    assert desk.status("task") == "running"
    desk.wait(2 * 60)
    desk.end_overdue("task")
    assert desk.status("task") == "failed"


def test_a_hub_that_was_away_gives_workers_time_to_reach_it(desk: Desk) -> None:
    desk.submit("task", timeout_minutes=10)
    desk.run("task")
    desk.wait(60 * 60)
    back = desk.clock.now_ms
    desk.wait(20)
    desk.end_overdue("task", since_ms=back)
    desk.end("task")
    assert desk.status("task") == "completed"


def test_a_worker_that_has_not_taken_its_order_reports_nothing(desk: Desk) -> None:
    desk.submit("task")
    desk.execute("task")
    with pytest.raises(Conflict) as refusal:
        desk.end("task")
    assert refusal.value.code == "stale_agent"


def test_an_agent_that_does_not_begin_in_time_costs_an_attempt(desk: Desk) -> None:
    desk.submit("task", timeout_minutes=10, max_attempts=2)
    desk.execute("task")
    desk.wait(11 * 60)
    desk.end_overdue("task")
    desk.release("task")
    assert desk.tick() == ["task"]
