"""The numbers of the queue."""

from scheduler.desk import Desk
from swarm_hub.budgets.outlook import Outlook
from swarm_hub.queue import look_at_queue


def test_the_queue_counts_every_task_that_waits_for_others(desk: Desk) -> None:
    desk.submit("first")
    for name in ("second", "third", "fourth"):
        desk.submit(name, "first")
    queue = look_at_queue(desk.ledger.connection, 10, desk.clock.now_ms, Outlook([]))
    assert queue.blocked == {"hold": 0, "dependency": 3, "budget": 0, "usage_limit": 0, "capacity": 0}
