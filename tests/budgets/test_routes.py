"""`/api/budget`: what is shown, who may see and change it, and how long a change holds."""

from pathlib import Path
from typing import Any

import pytest

from budgets.clock import Clock
from budgets.conftest import MONEY
from budgets.spending import limit
from hub.played import PlayedHub, played_hub
from hub.problems import assert_problem
from swarm_api.budget import Budget, LabelLimit

with_the_shared_hub = pytest.mark.asyncio(loop_scope="module")
Json = dict[str, Any]
NONE_SPENT = {"spentCents": 0, "reservedCents": 0, "forecastCents": 0, "spentMicroUsd": 0, "reservedMicroUsd": 0}


def fresh(cents: int, resets_at: str) -> Json:
    return {"limitCents": cents, "remainingCents": cents, "resetsAt": resets_at, "state": "ok", **NONE_SPENT}


async def put(hub: PlayedHub, body: Any) -> Any:
    answer = await hub.http.put("/api/budget", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def limits(shown: Budget) -> tuple[int, int, list[str]]:
    return shown.daily.limit_cents, shown.weekly.limit_cents, [each.label for each in shown.labels]


async def test_a_new_hub_shows_its_limits_with_nothing_spent(hub: PlayedHub) -> None:
    assert (await hub.get("/api/budget")).json() == {
        "daily": fresh(1_000, "2026-11-19T00:00:00Z"),
        "weekly": fresh(5_000, "2026-11-23T00:00:00Z"),
        "labels": [],
        "state": "ok",
        "waiting": 0,
        "timeZone": "UTC",
        "seq": 0,
    }


async def test_a_limit_on_a_label_is_shown_like_the_others(hub: PlayedHub) -> None:
    wish = [
        {"label": "team=red", "limitCents": 300, "period": "week"},
        {"label": "team=blue", "limitCents": 200},
    ]
    shown = await put(hub, {"labels": wish})
    assert shown["labels"] == [
        {"label": "team=red", "period": "week", **fresh(300, "2026-11-23T00:00:00Z")},
        {"label": "team=blue", "period": "day", **fresh(200, "2026-11-19T00:00:00Z")},
    ]
    assert (await hub.get("/api/budget")).json() == shown


async def test_without_settings_a_day_has_a_hundred_dollars_and_a_week_five_hundred(tmp_path: Path) -> None:
    async with played_hub(tmp_path) as hub:
        shown = await hub.client.budget()
        task = await hub.client.submit({"prompt": "Go", "hold": True})
    assert limits(shown) == (10_000, 50_000, [])
    assert task.budget_cents == 500


@pytest.mark.parametrize(
    ("method", "scope", "status"),
    [
        ("GET", "metrics:read", 200), ("GET", "tasks:read", 403), ("GET", "agents:read", 403), ("GET", "admin", 200),
        ("PUT", "admin", 200), ("PUT", "metrics:read", 403), ("PUT", "tasks:write", 403),
    ],
)  # fmt: skip
async def test_who_may_see_metrics_sees_it_and_an_admin_changes_it(
    hub: PlayedHub, method: str, scope: str, status: int
) -> None:
    answer = await hub.http.request(method, "/api/budget", json={}, headers=hub.bearer(scope))
    assert answer.status_code == status


async def test_who_may_not_change_it_changes_nothing(hub: PlayedHub) -> None:
    answer = await hub.http.put("/api/budget", json={"dailyCents": 1}, headers=hub.bearer("metrics:read"))
    assert_problem(answer, 403, "forbidden_scope")
    assert limits(await hub.client.budget()) == (1_000, 5_000, [])


async def test_a_change_is_in_the_audit_trail_with_what_holds_since(hub: PlayedHub) -> None:
    await put(hub, {"dailyCents": 2_000, "labels": [{"label": "team=red", "limitCents": 7}]})
    (entry,) = [each for each in (await hub.get("/api/audit")).json()["entries"] if each["action"] == "budget.change"]
    assert entry["outcome"] == "done"
    assert entry["detail"] == "2000 cents a day, 5000 a week; team=red 7 a day"


async def test_what_a_change_leaves_out_stays(hub: PlayedHub) -> None:
    await put(hub, {"labels": [{"label": "a=b", "limitCents": 1}]})
    await put(hub, {"dailyCents": 1_500})
    await put(hub, {"weeklyCents": 6_000})
    await put(hub, {})
    assert limits(await hub.client.budget()) == (1_500, 6_000, ["a=b"])


async def test_labels_are_all_there_are_from_then_on(hub: PlayedHub) -> None:
    await put(hub, {"labels": [{"label": "a=b", "limitCents": 1}, {"label": "c=d", "limitCents": 2}]})
    await put(hub, {"labels": [{"label": "c=d", "limitCents": 3}]})
    (left,) = (await hub.client.budget()).labels
    assert (left.label, left.limit_cents) == ("c=d", 3)
    await put(hub, {"labels": []})
    assert (await hub.client.budget()).labels == []


async def test_one_label_has_one_limit(hub: PlayedHub) -> None:
    doubled = [{"label": "a=b", "limitCents": 1}, {"label": "a=b", "limitCents": 2, "period": "week"}]
    answer = await hub.http.put("/api/budget", json={"labels": doubled})
    assert_problem(answer, 422, "invalid_input", "labels.1.label")
    assert "a=b" in answer.json()["detail"]


def label(**fields: Any) -> Json:
    return {"labels": [{"label": "a=b", "limitCents": 1, **fields}]}


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"dailyCents": -1}, "dailyCents"),
        ({"dailyCents": 1.5}, "dailyCents"),
        ({"dailyCents": "100"}, "dailyCents"),
        ({"dailyCents": True}, "dailyCents"),
        ({"weeklyCents": 10**9 + 1}, "weeklyCents"),
        ({"weeklyCents": 10**30}, "weeklyCents"),
        ({"monthlyCents": 1}, "monthlyCents"),
        ({"daily_cents": 1}, "daily_cents"),
        ({"labels": "a=b"}, "labels"),
        ({"labels": [{"label": "a=b"}]}, "labels.0.limitCents"),
        (label(limitCents=-1), "labels.0.limitCents"),
        (label(period="month"), "labels.0.period"),
        (label(label="nothing"), "labels.0.label"),
        (label(label="=b"), "labels.0.label"),
        (label(label="a b=c"), "labels.0.label"),
        (label(label="a=\0"), "labels.0.label"),
        (label(label="a=" + "b" * 257), "labels.0.label"),
        ({"labels": [{"label": f"a={i}", "limitCents": 1} for i in range(201)]}, "labels"),
    ],
)
@with_the_shared_hub
async def test_a_bad_value_is_named_and_nothing_changes(shared: PlayedHub, body: Json, loc: str) -> None:
    answer = await shared.http.put("/api/budget", json={"dailyCents": 7, **body})
    assert_problem(answer, 422, "invalid_input", loc)
    assert limits(await shared.client.budget()) == (1_000, 5_000, [])


async def test_limits_that_were_set_hold_over_a_restart(tmp_path: Path, clock: Clock) -> None:
    async with played_hub(tmp_path, clock, **MONEY) as hub:
        await limit(hub, LabelLimit(label="a=b", limit_cents=5), daily_cents=1_500, weekly_cents=6_000)
    async with played_hub(tmp_path, clock, **MONEY) as hub:
        assert limits(await hub.client.budget()) == (1_500, 6_000, ["a=b"])


async def test_a_limit_of_the_environment_holds_once_it_has_changed_and_the_others_stay(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with played_hub(tmp_path, clock, **MONEY) as hub:
        await limit(hub, LabelLimit(label="a=b", limit_cents=5), daily_cents=1_500, weekly_cents=6_000)
    async with played_hub(tmp_path, clock, **{**MONEY, "daily_budget_cents": 1_200}) as hub:
        assert limits(await hub.client.budget()) == (1_200, 6_000, ["a=b"])
    assert "the day's budget is $12.00, as the settings have changed since it was set to $15.00" in caplog.messages


async def test_a_limit_that_the_environment_has_overruled_does_not_come_back(tmp_path: Path, clock: Clock) -> None:
    async with played_hub(tmp_path, clock, **MONEY) as hub:
        await limit(hub, daily_cents=1_500)
    async with played_hub(tmp_path, clock, **{**MONEY, "daily_budget_cents": 1_200}):
        pass
    async with played_hub(tmp_path, clock, **MONEY) as hub:
        assert limits(await hub.client.budget()) == (1_000, 5_000, [])
