"""`swarm budget`: what is spent, reserved and left, and the limits, through a real hub."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from cli.program import Swarm
from cli.work import ended, script
from hubs import HubProcess

HALF: dict[str, Any] = {"usage": {"output": 10, "costMicroUsd": 500_000}}


@pytest.fixture
def swarm(tmp_path: Path, hub: HubProcess) -> Swarm:
    """Beside a hub of its own: limits are everybody's."""
    return Swarm(tmp_path, SWARM_URL=hub.url)


def rows(swarm: Swarm) -> dict[tuple[str, str], list[str]]:
    """By period and label."""
    found = [line.split("\t") for line in swarm("budget").stdout.splitlines()]
    return {(period, label): values for period, label, *values in found}


def limits(swarm: Swarm) -> dict[tuple[str, str], int]:
    return {name: int(values[0]) for name, values in rows(swarm).items()}


def test_json_is_the_apis_own(swarm: Swarm, hub: HubProcess) -> None:
    headers = {"Authorization": f"Bearer {hub.token()}"}
    request = urllib.request.Request(f"{hub.url}/api/budget", headers=headers)  # noqa: S310  # loopback
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        assert json.loads(swarm("budget", "--json").stdout) == json.load(answer)


def test_a_pipe_gets_a_row_for_each_limit_in_cents(swarm: Swarm) -> None:
    swarm("budget", "set", "--daily", "2")
    ended(swarm, HALF, flags=("--budget", "1"))
    limit, spent, reserved, left, forecast, state, resets = rows(swarm)["day", ""]
    assert (limit, spent, reserved, left, state) == ("200", "50", "0", "150", "ok")
    assert int(forecast) >= 50
    assert resets.endswith("T00:00:00Z")


def test_what_is_set_aside_for_a_running_agent_is_shown(swarm: Swarm) -> None:
    task_id = swarm("submit", "-p", script({"hang": True}), "--budget", "3").stdout.strip()
    while rows(swarm)["day", ""][2] != "300":
        assert json.loads(swarm("status", task_id, "--json").stdout)["status"] in ("pending", "running")
    swarm("cancel", task_id)


def test_a_terminal_gets_a_table_with_bars_that_fits(swarm: Swarm) -> None:
    swarm("budget", "set", "--daily", "0.60", "--label", "team=web=10/week")
    ended(swarm, HALF, flags=("--budget", "0.60"))
    code, said = swarm.on_terminal("budget", NO_COLOR="1")
    assert (code, max(map(len, said.splitlines())) <= 80) == (0, True)
    assert said.startswith("! 80 % or more of a limit is spent\n")
    assert "\nday                $0.60  $0.50     $0.00    $0.10 " in said
    assert "\nweek · team=web   $10.00  $0.00     $0.00   $10.00    $0.00  ✓ ok       ░" in said
    assert "(UTC)\n█ spent ▒ reserved for agents that run ░ left\n" in said


def test_a_limit_is_set_to_the_cent_and_the_others_stay(swarm: Swarm) -> None:
    run = swarm("budget", "set", "--daily", "12.50")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == swarm("budget").stdout
    assert limits(swarm) == {("day", ""): 1250, ("week", ""): 50_000}


def test_a_label_gets_a_limit_beside_those_there_are(swarm: Swarm) -> None:
    swarm("budget", "set", "--label", "team=web=10", "--label", "of=a=b=2.5/week")
    swarm("budget", "set", "--label", "team=web=7/week")
    assert limits(swarm) == {
        ("day", ""): 10_000, ("week", ""): 50_000, ("week", "team=web"): 700, ("week", "of=a=b"): 250,
    }  # fmt: skip


def test_the_limits_of_labels_are_taken_away(swarm: Swarm) -> None:
    swarm("budget", "set", "--label", "team=web=10", "--label", "team=app=10")
    swarm("budget", "set", "--no-labels", "--label", "team=ops=1")
    assert set(limits(swarm)) == {("day", ""), ("week", ""), ("day", "team=ops")}
    swarm("budget", "set", "--no-labels")
    assert set(limits(swarm)) == {("day", ""), ("week", "")}


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--daily", "12.345"], "--daily: '12.345' is no amount; allowed: dollars from 0 to 10000000"),
        (["--weekly", "lots"], "--weekly: 'lots' is no amount; allowed: dollars from 0 to 10000000"),
        (["--label", "team=web=x"], "--label team=web: 'x' is no amount; allowed: dollars from 0 to 10000000"),
        (["--label", "team=5"], "--label: 'team=5' must look like team=web=10, or team=web=10/week"),
        (["--label", "team=web=5/month"], "--label: 'team=web=5/month' must look like team=web=10"),
        (["--label", "team=web=10", "--label", "team=web=50/week"], "--label: team=web is there twice"),
        ([], "say which limit"),
    ],
)
def test_what_cannot_be_a_limit_is_told_and_nothing_is_changed(swarm: Swarm, flags: list[str], told: str) -> None:
    before = limits(swarm)
    run = swarm("budget", "set", *flags)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"error: {told}")
    assert limits(swarm) == before


def test_only_an_admin_sets_limits(swarm: Swarm) -> None:
    key = swarm("keys", "create", "reader", "--scope", "metrics:read").stdout.strip()
    assert swarm("budget", SWARM_API_KEY=key).returncode == 0
    run = swarm("budget", "set", "--daily", "5", SWARM_API_KEY=key)
    assert run.returncode == 3
    assert run.stderr.endswith(" hint: swarm login with a key that has it: swarm keys create NAME --scope admin\n")


def test_a_week_below_its_days_is_worth_a_warning(swarm: Swarm) -> None:
    run = swarm("budget", "set", "--daily", "50", "--weekly", "10")
    assert run.returncode == 0
    assert run.stderr == "warning: the week's limit is below the day's: it is the one that counts\n"


def test_a_limit_of_nothing_is_worth_a_warning(swarm: Swarm) -> None:
    """A shell makes 0 of an unquoted $50."""
    run = swarm("budget", "set", "--daily", "0")
    assert (run.returncode, run.stderr) == (0, "warning: nothing may be spent from now on: no agent starts\n")
    run = swarm("budget", "set", "--daily", "5", "--label", "team=web=0")
    assert run.stderr == "warning: nothing may be spent on team=web from now on: no agent starts for it\n"


def test_a_label_without_a_value_is_shown_as_it_is(swarm: Swarm) -> None:
    assert swarm("budget", "set", "--label", "team==10").returncode == 0
    assert "\nday · team= " in swarm.on_terminal("budget", NO_COLOR="1")[1]


@pytest.mark.parametrize(
    ("arguments", "command"),
    [(["submit", "-p", "x", "--budget"], "swarm submit"), (["budget", "set", "--daily"], "swarm budget set")],
)
def test_an_amount_left_out_is_answered_with_the_commands_own_help(
    lonely: Swarm, arguments: list[str], command: str
) -> None:
    run = lonely(*arguments)
    assert run.returncode == 2
    assert run.stderr.endswith(f" hint: {command} --help\n")


def test_the_hub_may_be_named_before_set(lonely: Swarm, hub: HubProcess) -> None:
    assert lonely("budget", "--url", hub.url, "set", "--daily", "5").returncode == 0
    assert lonely("budget", "--json", "set", "--daily", "5").stderr.startswith("error: --json goes behind `set`\n")


def test_raising_a_limit_starts_what_waits(swarm: Swarm) -> None:
    swarm("budget", "set", "--daily", "1")
    task_id = swarm("submit", "-p", script({"say": "hello"}), "--budget", "2").stdout.strip()
    assert swarm.on_terminal("budget", NO_COLOR="1")[1].startswith("✓ within all limits · 1 task waits for money\n")
    swarm("budget", "set", "--daily", "2")
    assert swarm("logs", task_id, "-f").returncode == 0
