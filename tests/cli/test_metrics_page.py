"""What `swarm metrics` shows on a terminal."""

from typing import Any

from swarm_cli.metrics import page
from swarm_cli.screen import Screen

NOTHING = {"tasks": 0, "completed": 0, "failed": 0, "cancelled": 0, "costMicroUsd": 0}
USED = {"requests": 3, "input": 900, "output": 70, "cacheRead": 100, "cacheWrite5m": 0, "cacheWrite1h": 0}
PLAIN = Screen(terminal=True, colour=False, width=80)


def answer(**fields: Any) -> Any:
    day = {"tasks": 2, "completed": 1, "failed": 1, "cancelled": 0, "costMicroUsd": 3_000_000}
    return {
        "period": "day", "timeZone": "Europe/Berlin", "from": "2026-02-17T23:00:00Z", "to": "2026-02-18T23:00:00Z",
        "totals": {**day, **USED}, "previous": {"totals": {**NOTHING, "costMicroUsd": 1_500_000}},
        "successRate": 0.5, "durationMs": {"p50": 60_000, "p95": 600_000}, "activeTasks": 1, "runningAgents": 2,
        "series": [
            {"at": "2026-02-17T23:00:00Z", **day},
            {"at": "2026-02-18T00:00:00Z", **NOTHING, "costMicroUsd": 1_500_000},
        ],
        "byModel": {"opus": {**USED, "costMicroUsd": 3_000_000}}, "byType": {"code": day},
        "byRepo": {"": {**NOTHING, "costMicroUsd": 2}, "acme/\x1b[31mshop": day}, **fields,
    }  # fmt: skip


def shown(**fields: Any) -> list[str]:
    return list(page(answer(**fields), PLAIN))


def test_the_facts_are_in_the_hubs_time_zone_and_beside_the_day_before() -> None:
    assert shown()[:7] == [
        "day       2026-02-18 (Europe/Berlin)",
        "spent     $3.00 (yesterday $1.50)",
        "tasks     2 submitted, 1 completed, 1 failed, 0 cancelled",
        "success   50%",
        "duration  p50 1m00s, p95 10m00s",
        "tokens    1.0k in, 70 out, 3 requests",
        "now       1 active task, 2 agents",
    ]


def test_bars_are_as_long_as_what_was_spent() -> None:
    lines = shown()
    hours = lines.index("spent")
    assert lines[hours + 1] == f"00:00  {'█' * 24}     $3.00  2 tasks"
    assert lines[hours + 2] == f"01:00  {'█' * 12}{' ' * 12}     $1.50"


def test_groups_are_in_the_order_of_their_cost_and_safe_to_show() -> None:
    lines = shown()
    repos = lines.index("by repository")
    assert lines[repos + 1].startswith("acme/shop")
    assert lines[repos + 2].startswith("(scratch)")


def test_nothing_to_show_is_no_chart() -> None:
    none: dict[str, Any] = {"byModel": {}, "byType": {}, "byRepo": {}, "successRate": None}
    hours = [{"at": "2026-02-17T23:00:00Z", **NOTHING}]
    lines = shown(series=hours, durationMs={"p50": None, "p95": None}, **none)
    assert lines[3:5] == ["success   –", "duration  –"]
    assert len(lines) == 7
