"""The bill of Claude Code through the gateway: what the model's API said it used, by the price, in every book."""

from collections import Counter
from pathlib import Path

import pytest

from claude.bill import all_say, answered, bill, books, calls, cents
from claude.conversations import CONVERSATIONS, Conversation
from claude.driving import bash
from claude.test_end_to_end import git
from hubs import HubProcess
from scripted_api import ScriptedApi, Text, Turn, Usage
from swarm_api.budget import BudgetIn, LabelLimit
from swarm_api.client import HubClient
from swarm_api.tasks import Task


async def converse(api: ScriptedApi, client: HubClient, repo: Path, conversation: Conversation) -> Task:
    """A task that holds the conversation, at its end."""
    (repo / ".claude").mkdir()
    (repo / ".claude/settings.json").write_text(conversation.repo_settings)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "Have settings")
    api.scripts.update(conversation.scripts)
    task = await client.submit({"prompt": conversation.prompt, "repo": str(repo), "labels": {"team": "web"}})
    return await client.wait(task.id)


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_every_book_has_the_usage_times_the_price(
    api: ScriptedApi, client: HubClient, hub: HubProcess, repo: Path, name: str
) -> None:
    conversation = CONVERSATIONS[name]
    task = await converse(api, client, repo, conversation)
    assert Counter(answered(api)) == Counter(conversation.answers)
    assert await books(client, hub.data_dir, [task]) == all_say(bill(conversation.answers))


async def test_the_task_shows_each_models_share(api: ScriptedApi, client: HubClient, repo: Path) -> None:
    conversation = CONVERSATIONS["subagents"]
    task = await converse(api, client, repo, conversation)
    shares = {model: spent.cost_micro_usd for model, spent in task.usage.by_model.items()}
    models = {model for model, _ in conversation.answers}
    assert shares == {model: bill(answer for answer in conversation.answers if answer[0] == model) for model in models}


async def test_the_task_shows_each_class_of_tokens(api: ScriptedApi, client: HubClient, repo: Path) -> None:
    used = (await converse(api, client, repo, CONVERSATIONS["cache"])).usage
    shown = Usage(used.input, used.output, used.cache_read, used.cache_write_5m, used.cache_write_1h)
    assert shown == Usage(10_023, 997, cache_read=27_259, cache_write_5m=3_399, cache_write_1h=41)


async def test_the_end_is_journaled_with_the_cost(api: ScriptedApi, client: HubClient, repo: Path) -> None:
    task = await converse(api, client, repo, CONVERSATIONS["text"])
    (end,) = (await client.event_history(types=["task_completed"])).events
    costs = (end.payload["costCents"], task.cost_cents, task.result and task.result.cost_cents)
    assert costs == (cents(20_011 * 2 + 45 * 10),) * 3


async def test_each_call_is_one_row_of_the_book(
    api: ScriptedApi, client: HubClient, hub: HubProcess, repo: Path
) -> None:
    conversation = CONVERSATIONS["subagents"]
    await converse(api, client, repo, conversation)
    rows = Counter((call.model, call.status, call.cost, call.estimated) for call in calls(hub.data_dir))
    assert rows == Counter((model, 200, bill([(model, used)]), None) for model, used in conversation.answers)


async def test_at_the_end_nothing_is_set_aside(api: ScriptedApi, client: HubClient, repo: Path) -> None:
    await client.set_budget(BudgetIn(labels=[LabelLimit(label="team=web", limit_cents=1_000)]))
    await converse(api, client, repo, CONVERSATIONS["subagents"])
    budget = await client.budget()
    standings = (budget.daily, budget.weekly, *budget.labels)
    assert [standing.reserved_micro_usd for standing in standings] == [0, 0, 0]


# A fan-out: a plan, three parts of which one fails, and what joins the two that are left.
PARTS = {"plan": ("web", 30_007), "one": ("web", 20_011), "two": ("api", 25_013), "odd": ("api", 15_017),
         "join": ("web", 40_009)}  # fmt: skip
NEEDS = {"one": ["plan"], "two": ["plan"], "odd": ["plan"], "join": ["one", "two"]}


def part(name: str) -> dict[str, object]:
    return {
        "name": name, "prompt": f"The part {name}.", "labels": {"team": PARTS[name][0]},
        "dependsOn": NEEDS.get(name, []), "verify": "false" if name == "odd" else None,
    }  # fmt: skip


async def fan_out(api: ScriptedApi, client: HubClient) -> list[Task]:
    """All of it, at its end. Each part asks the model twice."""
    for name, (_, tokens) in PARTS.items():
        turns = [Turn((bash("true"),), Usage(tokens, 33)), Turn((Text("Done."),), Usage(tokens + 2, 5, cache_read=15))]
        api.scripts[f"The part {name}."] = list(turns)
    limits = [LabelLimit(label=f"team={team}", limit_cents=5_000) for team in ("web", "api")]
    await client.set_budget(BudgetIn(labels=limits))
    return [await client.wait(task.id) for task in await client.submit_batch([part(name) for name in PARTS])]


async def test_a_fan_out_costs_the_sum_of_its_parts(api: ScriptedApi, client: HubClient, hub: HubProcess) -> None:
    """Of one that failed too."""
    tasks = await fan_out(api, client)
    assert {task.name: task.status for task in tasks} == dict.fromkeys(PARTS, "completed") | {"odd": "failed"}
    assert len(answered(api)) == 10
    assert await books(client, hub.data_dir, tasks) == all_say(bill(answered(api)))


async def test_a_label_costs_the_sum_of_its_tasks(api: ScriptedApi, client: HubClient) -> None:
    tasks = await fan_out(api, client)
    shown = {standing.label: standing.spent_micro_usd for standing in (await client.budget()).labels}
    assert shown == {
        f"team={team}": sum(task.cost_micro_usd for task in tasks if task.labels["team"] == team)
        for team in ("web", "api")
    }
    assert sum(shown.values()) == bill(answered(api))
