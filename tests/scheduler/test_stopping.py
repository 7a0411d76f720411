"""An agent that the hub stops for a reason of its own has a minute to keep its work."""

import pytest

from scheduler.desk import Desk
from swarm_hub.transitions import StopReason, load_agent, stop_for


def stopped(desk: Desk, reason: StopReason) -> None:
    desk.submit("deaf")
    desk.run("deaf")
    desk.ledger.work(lambda tx: stop_for(tx, load_agent(tx, desk.task("deaf").agent_id), reason))


def end_after(desk: Desk, seconds: float) -> None:
    desk.wait(seconds)
    desk.end_overdue("deaf")


def test_one_that_does_not_hear_that_its_money_is_spent_is_ended(desk: Desk) -> None:
    """It can spend no more, and what is set aside for it is needed by others."""
    stopped(desk, "budget")
    end_after(desk, 59)
    assert desk.status("deaf") == "running"
    end_after(desk, 1)
    assert '"status":"budget"' in desk.task("deaf").result


@pytest.mark.parametrize("reason", ["usage_limit", "limit"])
def test_the_task_of_one_that_does_not_hear_of_a_limit_waits(desk: Desk, reason: StopReason) -> None:
    stopped(desk, reason)
    end_after(desk, 60)
    assert (desk.status("deaf"), desk.task("deaf").tries) == ("pending", 0)


def test_a_cancel_leaves_it_no_more_time_than_any_other(desk: Desk) -> None:
    stopped(desk, "budget")
    desk.cancel("deaf")
    end_after(desk, 8)
    assert desk.status("deaf") == "cancelled"
