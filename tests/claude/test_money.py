"""Claude Code when the gateway lets nothing more through, and when it must watch its own spending."""

import pytest

from claude.driving import Driven, bash, make_order, run
from claude.test_resume import retry
from scripted_api import Call, ScriptedApi, Status, Text, Turn, Usage
from swarm_api.worker import Limits
from swarm_worker.runtimes import Place

REFUSAL = "budget: $0.48 of its budget of $0.50 are spent, and this call might pass it"
SPENT = (Status(403, "permission_error", message=REFUSAL),) * 20
DEAR = Usage(input=100_000, output=50)  # 20.05 cents of Sonnet


def capped(micro_usd: int) -> Limits:
    return Limits(timeout_seconds=60, memory_mb=1024, cpus=1, max_budget_micro_usd=micro_usd)


async def refused(api: ScriptedApi, place: Place) -> Driven:
    """A run whose second call is refused."""
    api.scripts["the task"] = [Turn((Text("I begin."), bash("true"))), Turn((Text("Never."),), faults=SPENT)]
    return await run(make_order(api.url, "Do the task."), place)


async def test_a_call_that_is_refused_for_money_ends_it(api: ScriptedApi, place: Place) -> None:
    driven = await refused(api, place)
    assert (driven.result.status, driven.result.error_code, driven.result.summary) == ("failure", "budget_exceeded", "")


async def test_what_is_told_of_it_are_the_hubs_own_words(api: ScriptedApi, place: Place) -> None:
    driven = await refused(api, place)
    assert driven.result.error_message == REFUSAL
    assert driven.lines("system") == [REFUSAL]
    assert driven.lines("agent") == ["I begin."]


async def test_a_call_that_is_refused_for_money_is_not_tried_again(api: ScriptedApi, place: Place) -> None:
    await refused(api, place)
    assert [seen.outcome for seen in api.seen] == ["answered", "403"]


async def test_another_403_is_no_question_of_money(api: ScriptedApi, place: Place) -> None:
    other = (Status(403, "permission_error", message="this key may not use the budget model"),) * 20
    api.scripts["try"] = [Turn((Text("Never."),), faults=other)]
    driven = await run(make_order(api.url, "try"), place)
    assert (driven.result.status, driven.result.error_code) == ("failure", "api_error")


async def test_refused_subagents_end_it_too(api: ScriptedApi, place: Place) -> None:
    agents = [Call("Agent", {"description": d, "prompt": f"dig {d}", "subagent_type": "Explore"}) for d in ("a", "b")]
    api.scripts["dig"] = [Turn((bash("true"),)), Turn((Text("Found."),), faults=SPENT)]
    api.scripts["delegate"] = [Turn(tuple(agents)), Turn((Text("Both are back."),), faults=SPENT)]
    driven = await run(make_order(api.url, "delegate"), place)
    assert driven.result.error_code == "budget_exceeded"
    assert [seen.outcome for seen in api.seen].count("403") == 3


@pytest.mark.parametrize("answers", [0, 1])
async def test_with_more_money_the_session_goes_on(api: ScriptedApi, place: Place, answers: int) -> None:
    """Also when it was refused its very first call."""
    begun = [Turn((Text("I begin."), bash("true")))] * answers
    api.scripts["the task"] = [*begun, Turn((Text("Never."),), faults=SPENT)]
    first = await run(make_order(api.url, "Do the task."), place)
    assert first.result.error_code == "budget_exceeded"
    api.scripts["the task"] = [Turn((Text("Done."),))]
    second = await run(retry(make_order(api.url, "Do the task."), first.session_id), place)
    assert (second.result.summary, second.session_id) == ("Done.", first.session_id)
    assert ("I begin." in api.seen[-1].request.text) == bool(answers)


async def test_without_a_gateway_it_stops_itself_at_its_budget(api: ScriptedApi, place: Place) -> None:
    api.scripts["spend"] = [Turn((bash("true"),), DEAR)] * 5
    driven = await run(make_order(api.url, "spend", limits=capped(300_000)), place)
    assert (driven.result.status, driven.result.error_code) == ("budget", "budget_exceeded")
    assert driven.result.error_message == "Reached maximum budget ($0.3)"
    assert len(api.seen) == 2  # it looks after each answer


async def test_its_own_budget_is_that_of_one_attempt(api: ScriptedApi, place: Place) -> None:
    """What the session cost before does not count."""
    api.scripts["spend"] = [Turn((Text("Done."),), DEAR)]
    first = await run(make_order(api.url, "spend", limits=capped(300_000)), place)
    api.scripts["spend"] = [Turn((bash("true"),), DEAR)] * 5
    second = await run(retry(make_order(api.url, "spend", limits=capped(300_000)), first.session_id), place)
    assert (second.result.status, second.session_id) == ("budget", first.session_id)
    assert second.used["cost_micro_usd"] == 2 * 200_500


async def test_no_budget_at_all_is_one_that_the_first_answer_spends(api: ScriptedApi, place: Place) -> None:
    """The CLI refuses to start with a budget of 0."""
    api.scripts["spend"] = [Turn((bash("true"),), DEAR)] * 5
    driven = await run(make_order(api.url, "spend", limits=capped(0)), place)
    assert (driven.result.status, len(api.seen)) == ("budget", 1)
