"""What a submission may not say, each with its answer: every bad field is named, and nothing refused leaves a trace."""

from typing import Any

import pytest

from hub.played import PlayedHub
from hub.problems import assert_problem
from hub.submitting import UNKNOWN, submit, submit_batch

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("nothing_stored")]


@pytest.mark.parametrize("field", ["promt", "base_ref", "id", "status", "__class__", "ünknown", ""])
async def test_an_unknown_field_is_named(shared: PlayedHub, field: str) -> None:
    assert_problem(await submit(shared, **{field: "main"}), 422, "invalid_input", field)


async def test_an_unknown_field_of_a_task_in_a_batch_is_named_with_its_place(shared: PlayedHub) -> None:
    assert_problem(await submit_batch(shared, {}, {"colour": "red"}), 422, "invalid_input", "tasks.1.colour")


async def test_an_unknown_field_beside_a_batch_is_named(shared: PlayedHub) -> None:
    answer = await shared.post("/api/tasks", {"tasks": [{"prompt": "Go", "hold": True}], "prompt": "Go"})
    assert_problem(answer, 422, "invalid_input", "prompt")


async def test_every_bad_field_is_named_at_once(shared: PlayedHub) -> None:
    answer = await submit(shared, prompt="", type="poem", maxAttempts=0)
    assert {error["loc"] for error in answer.json()["errors"]} == {"prompt", "type", "maxAttempts"}


@pytest.mark.parametrize("prompt", ["", "x" * 100_001, "a\0b"])
async def test_a_prompt_is_1_to_100000_characters_without_nul(shared: PlayedHub, prompt: str) -> None:
    assert_problem(await submit(shared, prompt=prompt), 422, "invalid_input", "prompt")


async def test_a_prompt_is_required(shared: PlayedHub) -> None:
    assert_problem(await shared.post("/api/tasks", {}), 422, "invalid_input", "prompt")


WRONG: dict[str, list[Any]] = {
    "prompt": [None, 5, True, ["Go"], {"text": "Go"}],
    "type": [None, "poem", "", 1, "CODE"],
    "model": [None, "", "no spaces", "-x", "x" * 200, 4],
    "priority": [None, "urgent", 1],
    "repo": ["", 7, [], "not-a-repo", "ftp://example.org/x", "http://example.org/x", "ext::sh -c id", "~/x"],
    "baseRef": ["", 7, "a..b", "a b", "-x", "--upload-pack=id", "a\nb", "main\n", "x" * 300, "a@{1}", "x.lock", "a/"],
    "dependsOn": [None, "a", {}, [1], [None], [""], ["x" * 101], ["a\nb"], ["a"] * 101],
    "name": ["", 7, "x" * 101, "a\0b", "a\nb"],
    "context": [7, "x" * 100_001, "a\0b"],
    "timeoutMinutes": ["5", True, 0, -1, 10_081, 1e300],
    "maxAttempts": [None, "3", True, 2.5, 0, 11, 10**30],
    "maxTurns": ["3", True, 0, 10_001],
    "tier": ["huge", 1],
    "hold": [None, "true", "yes", 1, []],
    "deliver": [None, "email"],
    "push": [None, "true", 1],
    "verify": ["", 7, "x" * 10_001, "a\0b"],
    "labels": [None, [], "a", {"k": 1}, {"k": None}, {"": "v"}, {"../k": "v"}, {"k": "v" * 257}, {"k": "a\0b"}],
    "repoSettings": ["all", True],
    "budgetCents": ["5", -1, 1.5, True],
    "bestOf": [None, 0, 9, "2"],
    "verifyAttempts": [None, 0, 11],
    "paths": [None, "src", [1]],
    "conflictPolicy": [None, "fight"],
    "permissionMode": [None, "root"],
}  # fmt: skip


@pytest.mark.parametrize("field", WRONG)
async def test_a_value_of_the_wrong_kind_is_refused_and_the_field_named(shared: PlayedHub, field: str) -> None:
    for value in WRONG[field]:
        answer = await submit(shared, **{field: value})
        assert_problem(answer, 422, "invalid_input")
        locs = [error["loc"] for error in answer.json()["errors"]]
        assert all(loc.split(".")[0] == field for loc in locs), (value, locs)


async def test_more_than_32_labels_are_refused(shared: PlayedHub) -> None:
    assert_problem(await submit(shared, labels={f"k{i}": "v" for i in range(33)}), 422, "invalid_input", "labels")


@pytest.mark.parametrize(
    "fields",
    [
        {"bestOf": 2}, {"verifyAttempts": 2}, {"paths": ["src/**"]}, {"conflictPolicy": "hold"},
        {"permissionMode": "ask"},
    ],
)  # fmt: skip
async def test_a_field_that_is_not_built_yet_is_refused_by_name(shared: PlayedHub, fields: dict[str, Any]) -> None:
    (field,) = fields
    assert_problem(await submit(shared, **fields), 422, "not_supported", field)
    assert_problem(await submit_batch(shared, {}, fields), 422, "not_supported", f"tasks.1.{field}")


# Batches


@pytest.mark.parametrize("count", [0, 1_001])
async def test_a_batch_is_1_to_1000_tasks(shared: PlayedHub, count: int) -> None:
    answer = await submit_batch(shared, *[{} for _ in range(count)])
    assert_problem(answer, 422, "invalid_input")
    assert "tasks" in answer.json()["detail"]


@pytest.mark.parametrize("tasks", [None, {}, "all", [None], [[]], ["Go"], [1]])
async def test_a_batch_is_a_list_of_tasks(shared: PlayedHub, tasks: Any) -> None:
    assert_problem(await shared.post("/api/tasks", {"tasks": tasks}), 422, "invalid_input")


async def test_a_cycle_in_a_batch_is_shown(shared: PlayedHub) -> None:
    tasks = [{"name": "a", "dependsOn": ["c"]}, {"name": "b", "dependsOn": ["a"]}, {"name": "c", "dependsOn": ["b"]}]
    answer = await submit_batch(shared, *tasks)
    assert_problem(answer, 422, "invalid_input")
    assert all(name in answer.json()["detail"] for name in ("a", "b", "c", "cycle"))


async def test_a_task_may_not_depend_on_itself(shared: PlayedHub) -> None:
    assert_problem(await submit_batch(shared, {"name": "a", "dependsOn": ["a"]}), 422, "invalid_input")


async def test_two_tasks_of_a_batch_may_not_have_one_name(shared: PlayedHub) -> None:
    assert_problem(await submit_batch(shared, {"name": "a"}, {"name": "a"}), 422, "invalid_input", "tasks.1.name")


async def test_a_dependency_on_a_name_that_is_not_in_the_batch_is_refused(shared: PlayedHub) -> None:
    answer = await submit_batch(shared, {"name": "a"}, {"dependsOn": ["a", "b"]})
    assert_problem(answer, 422, "invalid_input", "tasks.1.dependsOn.1")


async def test_a_dependency_on_an_unknown_task_is_refused(shared: PlayedHub) -> None:
    assert_problem(await submit(shared, dependsOn=[UNKNOWN]), 422, "invalid_input", "dependsOn.0")
    assert_problem(await submit_batch(shared, {"dependsOn": [UNKNOWN]}), 422, "invalid_input", "tasks.0.dependsOn.0")


async def test_as_many_unknown_dependencies_as_fit_are_refused_as_bad_input(shared: PlayedHub) -> None:
    tasks = [{"dependsOn": [f"tsk_{i:013d}{k:03d}" for k in range(100)]} for i in range(1_000)]
    assert_problem(await submit_batch(shared, *tasks), 422, "invalid_input", "tasks.0.dependsOn.0")
