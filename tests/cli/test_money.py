"""What people and scripts see of money besides `swarm budget`: costs, waits, exit codes, events."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.program import Swarm
from cli.work import ended, script
from hubs import HubProcess
from swarm_api.events import Event
from swarm_api.ids import short
from swarm_cli import event_lines
from swarm_cli.costs import facts

HALF: dict[str, Any] = {"usage": {"output": 10, "costMicroUsd": 500_000}}
TOO_MUCH: tuple[dict[str, Any], ...] = ({**HALF, "attempt": 1}, {"hang": True, "attempt": 1})
"""On a budget of 50 cents: it spends all of it, and is stopped."""
BROKE = script(*TOO_MUCH, {"say": "I go on", "attempt": 2})
GOOD, BAD = script({"say": "hello"}), script({"fail": "no tea left"})


@pytest.fixture
def swarm(tmp_path: Path, hub: HubProcess) -> Swarm:
    """Beside a hub of its own: its money is everybody's."""
    return Swarm(tmp_path, SWARM_URL=hub.url)


def broke(swarm: Swarm) -> str:
    """The id of a task that ended for its budget."""
    run = swarm("submit", "-p", BROKE, "--budget", "0.50", "--wait", "--json")
    task = json.loads(run.stdout)
    assert (task["status"], task["result"]["status"]) == ("failed", "budget")
    return str(task["id"])


def half_spent(swarm: Swarm) -> None:
    """Of a day's dollar: a task that needs 80 cents waits for another day."""
    broke(swarm)
    swarm("budget", "set", "--daily", "1")


SHORT = "the day's budget has $0.50 of $1.00 left, and it needs $0.80"


def task_of(swarm: Swarm, task_id: str) -> Any:
    return json.loads(swarm("status", task_id, "--json").stdout)


class TestExitCodes:
    def test_a_task_that_ended_for_its_budget_exits_with_6_and_tells_how_it_goes_on(self, swarm: Swarm) -> None:
        run = swarm("submit", "-p", BROKE, "--budget", "0.50", "--wait")
        assert run.returncode == 6
        assert run.stdout.splitlines()[-1] == f"go on  swarm retry {short(run.stderr.strip())} --budget 1"

    def test_following_its_log_exits_so_too(self, swarm: Swarm) -> None:
        assert swarm("logs", "-f", broke(swarm)).returncode == 6

    def test_following_the_log_of_a_task_that_failed_exits_with_1(self, swarm: Swarm) -> None:
        assert swarm("logs", "-f", ended(swarm, {"fail": "no tea left"})).returncode == 1

    @pytest.mark.parametrize(("other", "code"), [(GOOD, 6), (BAD, 1)])
    def test_of_several_it_is_6_when_money_is_all_that_it_takes(self, swarm: Swarm, other: str, code: int) -> None:
        tasks = [
            {"prompt": BROKE, "name": "a", "budgetCents": 50}, {"prompt": GOOD, "dependsOn": ["a"]}, {"prompt": other},
        ]  # fmt: skip
        assert swarm("submit", "-", "--wait", stdin=json.dumps({"tasks": tasks})).returncode == code

    @pytest.mark.parametrize(
        ("flags", "why"),
        [((), "no more is left to spend"), (("--budget", "0.50"), "--budget $0.50 is no more than that")],
    )
    def test_a_retry_without_more_exits_with_6_and_says_in_dollars_what_it_takes(
        self, swarm: Swarm, flags: tuple[str, ...], why: str
    ) -> None:
        task_id = broke(swarm)
        run = swarm("retry", task_id, *flags)
        known = short(task_id)
        assert (run.returncode, run.stderr) == (
            6, f"error: task {known} has spent $0.50 already, and {why}\n hint: swarm retry {known} --budget 1\n",
        )  # fmt: skip

    def test_a_start_without_room_exits_with_6(self, swarm: Swarm) -> None:
        swarm("budget", "set", "--daily", "1")
        task_id = swarm("submit", "-p", GOOD, "--budget", "2").stdout.strip()
        assert swarm("execute", task_id).returncode == 6

    def test_a_start_that_must_wait_for_something_else_exits_with_1(self, swarm: Swarm) -> None:
        first = swarm("submit", "-p", GOOD, "--hold").stdout.strip()
        second = swarm("submit", "-p", GOOD, "--depends-on", first).stdout.strip()
        assert swarm("execute", second).returncode == 1


class TestRetry:
    def test_with_more_money_it_goes_on(self, swarm: Swarm) -> None:
        task_id = broke(swarm)
        assert swarm("retry", task_id, "--budget", "1.25").returncode == 0
        assert "I go on" in swarm("logs", task_id, "-f").stdout
        task = task_of(swarm, task_id)
        assert (task["status"], task["budgetCents"]) == ("completed", 125)

    def test_what_is_no_amount_is_told(self, swarm: Swarm) -> None:
        run = swarm("retry", "x", "--budget", "lots")
        assert (run.returncode, run.stderr.split(";")[0]) == (2, "error: --budget: 'lots' is no amount")


class TestSubmit:
    @pytest.mark.parametrize(("flags", "cents"), [((), 250), (("--budget", "4"), 400)])
    def test_the_configured_budget_is_that_of_tasks_without_one(
        self, swarm: Swarm, flags: tuple[str, ...], cents: int
    ) -> None:
        assert swarm("config", "set", "defaultBudgetCents", "250").stderr == ""
        task_id = swarm("submit", "-p", GOOD, "--hold", *flags).stdout.strip()
        assert task_of(swarm, task_id)["budgetCents"] == cents

    def test_what_finds_no_room_is_told_at_once_beside_the_ids(self, swarm: Swarm) -> None:
        half_spent(swarm)
        run = swarm("submit", "-", stdin=json.dumps({"tasks": [{"prompt": GOOD, "budgetCents": 80}] * 3}), TZ="UTC")
        ids = run.stdout.split()
        assert len(ids) == 3
        assert run.stderr == f"{short(ids[0])} waits for money until 00:00 UTC: {SHORT} (and 2 more)\n"

    def test_a_file_names_budgets_in_cents(self, swarm: Swarm) -> None:
        tasks = "defaults: {hold: true}\ntasks: [{prompt: a, budgetCents: 120}, {prompt: b}]"
        ids = swarm("submit", "-", "--budget", "2", stdin=tasks).stdout.split()
        assert [task_of(swarm, task_id)["budgetCents"] for task_id in ids] == [120, 200]


class TestStatus:
    def test_a_task_shows_its_cost_its_budget_and_how_that_is_known(self, swarm: Swarm) -> None:
        task_id = ended(swarm, HALF, flags=("--budget", "2"))
        assert "  Cost        $0.50 of $2.00, as its worker reports it\n" in swarm("status", task_id).stdout

    def test_a_task_that_cost_nothing_yet_shows_its_budget(self, swarm: Swarm) -> None:
        task_id = swarm("submit", "-p", GOOD, "--hold", "--budget", "2").stdout.strip()
        said = swarm("status", task_id).stdout
        assert "  Budget      $2.00\n" in said
        assert "Cost" not in said

    def test_a_task_that_ended_for_its_budget_shows_how_it_goes_on(self, swarm: Swarm) -> None:
        task_id = broke(swarm)
        _, said = swarm.on_terminal("status", task_id, NO_COLOR="1")
        assert "\n  budget_exceeded\n" in said
        assert f"\n  swarm retry {short(task_id)} --budget 1 · swarm logs " in said

    def test_the_table_shows_costs_where_something_costs(self, swarm: Swarm) -> None:
        ended(swarm, {"say": "hello"})
        assert "COST" not in swarm.on_terminal("status", NO_COLOR="1")[1]
        ended(swarm, HALF)
        head, first, second, *_ = swarm.on_terminal("status", NO_COLOR="1")[1].splitlines()
        assert head.split() == ["ID", "STATUS", "TASK", "OUTCOME", "TIME", "COST", "AGE"]
        assert ("$0.50" in first, "$" in second) == (True, False)

    def test_a_pipe_gets_the_cost_in_cents_behind_all_else(self, swarm: Swarm) -> None:
        ended(swarm, HALF)
        assert swarm("status").stdout.rstrip("\n").split("\t")[-1] == "50"

    def test_a_terminal_is_told_how_the_day_stands(self, swarm: Swarm) -> None:
        ended(swarm, HALF)
        swarm("budget", "set", "--daily", "0.60")
        swarm("submit", "-p", GOOD)
        _, said = swarm.on_terminal("status", NO_COLOR="1")
        assert said.splitlines()[-1] == (
            "today $0.50 of $0.60 · 1 task waits for money · 80 % or more of a limit is spent"
        )

    def test_who_may_not_know_of_money_sees_the_tasks_alone(self, swarm: Swarm) -> None:
        key = swarm("keys", "create", "reader", "--scope", "tasks:read,agents:read").stdout.strip()
        swarm("submit", "-p", GOOD, "--hold")
        code, said = swarm.on_terminal("status", NO_COLOR="1", SWARM_API_KEY=key)
        assert (code, len(said.splitlines())) == (0, 2)

    def test_why_it_waits_and_until_when_is_told_in_the_time_of_this_machine(self, swarm: Swarm) -> None:
        half_spent(swarm)
        task_id = swarm("submit", "-p", GOOD, "--budget", "0.80").stdout.strip()
        said = swarm("status", task_id, TZ="XYZ-5:30").stdout
        assert f"  Waits       for money until 05:30 XYZ: {SHORT}\n" in said

    def test_what_can_never_start_waits_for_no_time(self, swarm: Swarm) -> None:
        swarm("budget", "set", "--daily", "1")
        task_id = swarm("submit", "-p", GOOD, "--budget", "2").stdout.strip()
        why = "it needs $2.00, and the day's budget is $1.00 in all"
        assert f"  Waits       for money: {why}\n" in swarm("status", task_id).stdout

    def test_the_table_has_the_amounts_and_then_how_long(self, swarm: Swarm) -> None:
        half_spent(swarm)
        swarm("submit", "-p", GOOD, "--budget", "0.80")
        assert "  needs $0.80, $0.50 left" in swarm.on_terminal("status", NO_COLOR="1")[1]
        assert "  out of money $0.50 of $0.50" in swarm.on_terminal("status", columns=100, NO_COLOR="1")[1]
        assert "needs $0.80, $0.50 left · more in " in swarm("status").stdout

    @pytest.mark.parametrize("columns", [60, 80])
    def test_what_waits_for_money_is_not_to_be_started_by_hand(self, swarm: Swarm, columns: int) -> None:
        half_spent(swarm)
        task_id = swarm("submit", "-p", GOOD, "--budget", "0.80").stdout.strip()
        _, said = swarm.on_terminal("status", task_id, columns=columns, NO_COLOR="1")
        assert "swarm execute" not in said
        assert "\n  swarm budget · swarm budget set --daily …" in said
        assert max(map(len, said.splitlines())) <= columns

    def test_a_narrow_page_is_wrapped_beside_its_names(self, swarm: Swarm) -> None:
        half_spent(swarm)
        task_id = swarm("submit", "-p", GOOD, "--budget", "0.80").stdout.strip()
        _, said = swarm.on_terminal("status", task_id, columns=60, NO_COLOR="1", TZ="UTC")
        assert "\n  Waits       for money until 00:00 UTC: the day's budget\n              has $0.50 of" in said


def test_agents_show_what_they_cost(swarm: Swarm) -> None:
    ended(swarm, HALF)
    assert "$0.50" in swarm.on_terminal("agents", "--all", NO_COLOR="1")[1]


def cost_of(spent: int = 0, machine: int = 0, budget: int | None = None, *bases: str) -> list[tuple[str, str]]:
    by_model = {str(number): {"costBasis": basis} for number, basis in enumerate(bases)}
    usage = {"byModel": by_model}
    return list(facts({"costMicroUsd": spent, "computeMicroUsd": machine, "budgetCents": budget, "usage": usage}))


@pytest.mark.parametrize(
    ("bases", "words"),
    [
        (("metered",), "metered"),
        (("metered", "estimated"), "metered, a part estimated"),
        (("metered", "estimated", "reported"), "as its worker reports it"),
    ],
)
def test_the_least_exact_part_says_how_a_cost_is_known(bases: tuple[str, ...], words: str) -> None:
    assert cost_of(1_000_000, 0, 500, *bases) == [("Cost", f"$1.00 of $5.00, {words}")]


def test_a_machine_that_costs_is_shown_beside_the_model() -> None:
    assert cost_of(machine=30_000) == [("Machine", "$0.03")]


class TestEvents:
    def test_several_that_are_followed_tell_of_money_too(self, swarm: Swarm) -> None:
        tasks = {"tasks": [{"prompt": BROKE, "budgetCents": 50}, {"prompt": GOOD}]}
        run = swarm("submit", "-", "--wait", stdin=json.dumps(tasks))
        (told,) = [line.split("\t") for line in run.stdout.splitlines() if "\tbudget_exceeded\t" in line]
        assert told[2:] == [run.stderr.split()[0], "the task: $0.50 of $0.50 spent"]

    def test_what_all_wait_for_is_told_to_those_who_follow_some(self, swarm: Swarm) -> None:
        swarm("budget", "set", "--daily", "0.60")
        tasks = {"tasks": [{"prompt": script(HALF), "budgetCents": 60}, {"prompt": GOOD, "budgetCents": 0}]}
        run = swarm("submit", "-", "--wait", stdin=json.dumps(tasks))
        (told,) = [line.split("\t") for line in run.stdout.splitlines() if "\tbudget_warning\t\t" in line]
        assert told[2:] == ["", "the day: $0.50 of $0.60 spent"]

    @pytest.mark.parametrize(
        ("kind", "payload", "said"),
        [
            (
                "budget_warning",
                {"scope": "weekly", "limitCents": 500, "spentCents": 410},
                "the week: $4.10 of $5.00 spent",
            ),
            (
                "budget_exceeded",
                {"scope": "label", "label": "team=\x1b[2Jweb", "limitCents": 100_000, "spentCents": 100_001},
                "team=web: $1,000.01 of $1,000.00 spent",
            ),
            (
                "usage_limit",
                {"until": "2099-02-01T12:00:00Z", "status": 429, "detail": "too many tokens"},
                "until 2099-02-01 12:00 UTC · too many tokens",
            ),
            (
                "task_blocked",
                {"taskId": "tsk_1", "blockedBy": [{"reason": "usage_limit", "detail": "closed", "until": None}]},
                "usage limit: closed",
            ),
        ],
        ids=["warning", "exceeded", "usage limit", "blocked"],
    )  # fmt: skip
    def test_an_event_is_told_in_words(self, kind: str, payload: dict[str, Any], said: str) -> None:
        fields = {"seq": 1, "type": kind, "payload": payload, "timestamp": "2026-02-01T12:00:00Z"}
        assert event_lines.said(Event.model_validate(fields)) == said
