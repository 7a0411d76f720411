"""What `swarm metrics` shows on a terminal."""

from typing import Any

import pytest

from swarm_cli.charts import BLOCKS, PLAIN, Ink
from swarm_cli.metrics import page
from swarm_cli.screen import Screen, cells

NOTHING = {"tasks": 0, "completed": 0, "failed": 0, "cancelled": 0, "costMicroUsd": 0}
USED = {"requests": 3, "input": 900, "output": 70, "cacheRead": 100, "cacheWrite5m": 0, "cacheWrite1h": 0}
UNUSED = dict.fromkeys(USED, 0)


def answer(**fields: Any) -> Any:
    day = {"tasks": 2, "completed": 1, "failed": 1, "cancelled": 0, "costMicroUsd": 3_000_000}
    return {
        "period": "day", "timeZone": "Europe/Berlin", "from": "2026-02-17T23:00:00Z", "to": "2026-02-18T23:00:00Z",
        "totals": {**day, **USED}, "successRate": 0.5, "durationMs": {"p50": 60_000, "p95": 600_000},
        "previous": {
            "totals": {**NOTHING, **UNUSED, "tasks": 4, "costMicroUsd": 1_500_000}, "successRate": None,
            "durationMs": {"p50": 120_000, "p95": None},
        },
        "activeTasks": 1, "runningAgents": 2,
        "series": [
            {"at": "2026-02-17T23:00:00Z", **day},
            {"at": "2026-02-18T00:00:00Z", **NOTHING, "costMicroUsd": 1_500_000},
        ],
        "byModel": {"opus": {**USED, "costMicroUsd": 3_000_000}}, "byType": {"code": day},
        "byRepo": {"": {**NOTHING, "costMicroUsd": 2}, "acme/\x1b[31mshop": day}, **fields,
    }  # fmt: skip


def shown(width: int = 80, ink: Ink = BLOCKS, **fields: Any) -> list[str]:
    return list(page(answer(**fields), Screen(terminal=True, colour=False, width=width), ink))


def test_the_day_is_that_of_the_hubs_time_zone() -> None:
    assert shown()[0] == "day 2026-02-18 (Europe/Berlin)   now 1 active task, 2 agents"


def test_figures_stand_beside_those_of_the_day_before() -> None:
    assert shown()[2:9] == [
        "           today  yesterday  change                  today  yesterday  change",
        "spent      $3.00      $1.50   +100%    success         50%          –",
        "submitted      2          4    -50%    half within   1m00s      2m00s    -50%",
        "completed      1          0            95% within   10m00s          –",
        "failed         1          0            tokens in      1.0k          0",
        "cancelled      0          0            from cache      10%          –",
        "requests       3          0            tokens out       70          0",
    ]


def test_figures_are_one_below_the_other_where_there_is_no_room() -> None:
    lines = shown(width=60)
    assert lines[2] == "              today  yesterday  change"
    assert lines[10] == "half within   1m00s      2m00s    -50%"


def test_columns_are_as_high_as_what_was_spent_with_their_axis() -> None:
    lines = shown()
    top = lines.index("spent per hour") + 1
    assert lines[top : top + 10] == [
        "$3.00 ┤█████████",
        "      │█████████",
        "      │█████████",
        "$1.50 ┤█████████ █████████",
        "      │█████████ █████████",
        "      │█████████ █████████",
        "$0.00 └────────────────────",
        "       00        01",
        "tasks  █████████",
        "       submitted per hour, 2 at most",
    ]


def test_bars_have_one_scale_their_cost_and_its_share() -> None:
    lines = shown()
    model, repos = lines.index("spent by model"), lines.index("spent by repository")
    assert lines[model + 1] == f"opus       {'█' * 43}   $3.00  100%  3 requests"
    assert lines[repos + 1] == f"acme/shop  {'█' * 43}   $3.00  100%     2 tasks"
    assert lines[repos + 2].split() == ["(scratch)", "▏", "<$0.01", "0%"]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("steps", [7, 24, 31])
def test_no_line_is_wider_than_the_terminal(width: int, steps: int) -> None:
    series = [{"at": f"2026-02-18T{hour % 24:02}:00:00Z", **NOTHING, "costMicroUsd": hour} for hour in range(steps)]
    repos = {"一" * 60: {**NOTHING, "tasks": 1_000_000, "costMicroUsd": 10**13}}
    assert max(map(cells, shown(width, series=series, byRepo=repos))) <= width


def test_a_terminal_without_blocks_gets_ascii() -> None:
    lines = shown(ink=PLAIN)
    assert all(line.isascii() for line in lines)
    assert "$1.50 +######### #########" in lines


def test_a_few_micro_dollars_have_an_axis_too() -> None:
    series = [{"at": "2026-02-17T23:00:00Z", **NOTHING, "costMicroUsd": 30}]
    assert "$0.000030 ┤█████████" in shown(series=series)


def test_nothing_to_show_is_no_chart() -> None:
    none: dict[str, Any] = {"byModel": {}, "byType": {}, "byRepo": {}}
    assert len(shown(series=[{"at": "2026-02-17T23:00:00Z", **NOTHING}], **none)) == 9
