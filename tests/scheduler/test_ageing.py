"""The order of starting: priority, lifted by age."""

from scheduler.desk import Desk

HOUR = 3_600


def test_a_higher_priority_goes_first(desk: Desk) -> None:
    for priority in ("low", "normal", "high"):
        desk.submit(priority, priority=priority)
    assert desk.tick() == ["high", "normal", "low"]


def test_the_older_of_two_equals_goes_first(desk: Desk) -> None:
    names = [f"number {i}" for i in range(5)]
    for name in names:
        desk.submit(name)
    assert desk.tick() == names


def test_an_hour_of_waiting_is_worth_a_level_of_priority(desk: Desk) -> None:
    desk.submit("old and low", priority="low")
    desk.wait(2 * HOUR - 1)
    desk.submit("new and high", priority="high")
    desk.wait(2)
    desk.submit("newer and high", priority="high")
    assert desk.tick() == ["new and high", "old and low", "newer and high"]


def test_a_low_task_starts_though_high_ones_never_stop_coming(desk: Desk) -> None:
    desk.place = desk.place._replace(capacity=1)
    desk.submit("low", priority="low")
    for minute in range(180):
        desk.submit(f"high {minute}", priority="high")
        (name,) = desk.tick()
        if name == "low":
            assert minute >= 120
            return
        desk.begin(name)
        desk.wait(60)
        desk.end(name)
    raise AssertionError("the low task starved")


def test_a_retried_task_keeps_its_age(desk: Desk) -> None:
    desk.submit("old")
    desk.fail("old")
    desk.wait(60)
    desk.submit("new")
    desk.retry("old")
    assert desk.tick() == ["old", "new"]
