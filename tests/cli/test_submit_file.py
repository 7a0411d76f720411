"""`swarm submit -f tasks.yaml`: every mistake is told with its place in the file."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.program import Swarm

GOOD = """
defaults: {hold: true, model: haiku, labels: {team: web}}
tasks:
  - {name: schema, prompt: "Add a table"}
  - {name: api, prompt: "Add an endpoint", dependsOn: [schema], model: opus}
"""


def tasks_of(swarm: Swarm, ids: str) -> list[Any]:
    return [json.loads(swarm("status", task_id, "--json").stdout) for task_id in ids.split()]


def test_tasks_take_from_defaults_what_they_leave_open(swarm: Swarm) -> None:
    (swarm.folder / "tasks.yaml").write_text(GOOD)
    first, second = tasks_of(swarm, swarm("submit", "-f", "tasks.yaml").stdout)
    assert (first["name"], first["model"], first["hold"], first["labels"]) == ("schema", "haiku", True, {"team": "web"})
    assert (second["name"], second["model"], second["dependsOn"]) == ("api", "opus", [first["id"]])


def test_flags_come_between_tasks_and_defaults(swarm: Swarm) -> None:
    first, second = tasks_of(swarm, swarm("submit", "-", "--model", "sonnet", stdin=GOOD).stdout)
    assert (first["model"], second["model"]) == ("sonnet", "opus")


@pytest.mark.parametrize("way", [["-"], ["-f", "-"]], ids=" ".join)
def test_stdin_takes_json_as_well(swarm: Swarm, way: list[str]) -> None:
    batch = json.dumps({"tasks": [{"prompt": "One", "hold": True}, {"prompt": "Two", "hold": True}]})
    tasks = tasks_of(swarm, swarm("submit", *way, stdin=batch).stdout)
    assert [task["prompt"] for task in tasks] == ["One", "Two"]


def test_a_task_alone_is_taken_too(swarm: Swarm) -> None:
    (task,) = tasks_of(swarm, swarm("submit", "-", stdin='{"prompt": "One", "hold": true}').stdout)
    assert task["prompt"] == "One"


def test_a_path_is_relative_to_the_file(swarm: Swarm, repo: Path) -> None:
    (repo / "work").mkdir()
    (repo / "work/tasks.yaml").write_text("tasks: [{prompt: Work, hold: true, repo: ..}]")
    (task,) = tasks_of(swarm, swarm("submit", "-f", str(repo / "work/tasks.yaml")).stdout)
    assert task["repo"] == str(repo)


def test_what_the_hub_finds_wrong_is_told_with_its_place(swarm: Swarm) -> None:
    cycle = "tasks:\n- {prompt: a, name: a, dependsOn: [b]}\n- {prompt: b, name: b, dependsOn: [a]}\n"
    run = swarm("submit", "-", stdin=cycle)
    assert run.returncode == 2
    assert run.stderr.startswith("error: stdin:")
    assert "dependsOn: a cycle: " in run.stderr


def test_a_batch_is_taken_whole_or_not_at_all(swarm: Swarm) -> None:
    before = json.loads(swarm("status", "--json").stdout)["total"]
    batch = "tasks: [{prompt: a, hold: true}, {prompt: b, dependsOn: [nothing]}]"
    assert swarm("submit", "-", stdin=batch).returncode == 2
    assert json.loads(swarm("status", "--json").stdout)["total"] == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("- a\n- b\n", "stdin:1:1: must be a mapping with `tasks`"),
        ("", "stdin: must be a mapping with `tasks`"),
        ("just text", "stdin:1:1: must be a mapping with `tasks`"),
        ("tasks: []", "stdin:1:8: tasks: must be a list of 1 to 1,000 tasks"),
        ("tasks: {a: 1}", "stdin:1:8: tasks: must be a list of 1 to 1,000 tasks"),
        ("tasks: [" + "{prompt: a}," * 1_001 + "]", "stdin:1:8: tasks: must be a list of 1 to 1,000 tasks"),
        ("tasks: [text]", "stdin:1:9: tasks.0: must be a mapping of a task's fields"),
        ("defaults: [a]\ntasks: [{prompt: a}]", "stdin:1:11: defaults: must be a mapping"),
        ("jobs: []\ntasks: [{prompt: a}]", "stdin:1:7: jobs: unknown; known are defaults, tasks"),
        ("tasks:\n- prompt: a\n  colour: red\n", "stdin:3:11: tasks.0.colour: unknown field"),
        ("defaults: {colour: red}\ntasks: [{prompt: a}]", "stdin:1:20: tasks.0.colour: unknown field"),
        ("tasks:\n- name: a\n", "stdin:2:3: tasks.0.prompt: required"),
        ("tasks:\n- prompt: 12\n", "stdin:2:11: tasks.0.prompt: input should be a valid string, not 12"),
        ("tasks:\n- {prompt: a, priority: urgent}\n", "stdin:2:25: tasks.0.priority: input should be 'high', "),
        ("tasks:\n- {prompt: a, dependsOn: [b, '']}\n", "stdin:2:30: tasks.0.dependsOn.1: "),
        ("tasks:\n- {prompt: a, prompt: b}\n", "stdin:2:15: prompt: given twice"),
        ("tasks:\n- prompt: a\n   name: b\n", "stdin:3:8: not YAML: mapping values are not allowed"),
        ("tasks: [{prompt: 'a}]", "stdin:1:22: not YAML: found unexpected end of stream"),
        ("a: 1\n---\nb: 2\n", "stdin:2:1: not YAML: but found another document"),
        ("tasks: !!python/object/apply:os.system [true]", "stdin:1:8: could not determine a constructor"),
        (b"tasks:\n- prompt: caf\xe9\n", "stdin:2:14: byte 20 is not UTF-8"),
        (b"tasks: [{prompt: 'a\x00b'}]", "stdin: not YAML: "),
        (b"x" * (10 * 1024 * 1024 + 1), "stdin: over 10,485,760 bytes"),
    ],
)
def test_a_file_that_is_wrong(lonely: Swarm, content: str | bytes, told: str) -> None:
    run = lonely("submit", "-", stdin=content)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"error: {told}"), run.stderr


def test_every_mistake_of_a_task_is_told(lonely: Swarm) -> None:
    run = lonely("submit", "-", stdin="tasks:\n- {prompt: '', tier: huge}\n")
    assert [line.partition(": tasks")[0] for line in run.stderr.splitlines()] == [
        "error: stdin:2:12", "error: stdin:2:22",
    ]  # fmt: skip
