"""`swarm submit`: what is handed out, and what is said about it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.program import Swarm
from swarm_api.ids import TASK_ID, short

FLAGS = [
    ("--model", "opus", "model", "opus"),
    ("--type", "docs", "type", "docs"),
    ("--priority", "high", "priority", "high"),
    ("--name", "login", "name", "login"),
    ("--context", "Mind it", "context", "Mind it"),
    ("--timeout", "2.5", "timeoutMinutes", 2.5),
    ("--budget", "2.5", "budgetCents", 250),
    ("--max-attempts", "3", "maxAttempts", 3),
    ("--max-turns", "7", "maxTurns", 7),
    ("--tier", "heavy", "tier", "heavy"),
    ("--deliver", "patch", "deliver", "patch"),
    ("--verify", "make test", "verify", "make test"),
    ("--label", "team=web=1", "labels", {"team": "web=1"}),
    ("--repo-settings", "none", "repoSettings", "none"),
]


def task_of(swarm: Swarm, task_id: str) -> Any:
    return json.loads(swarm("status", task_id.strip(), "--json").stdout)


@pytest.mark.parametrize(("flag", "value", "field", "expected"), FLAGS)
def test_a_flag_is_a_field_of_the_task(swarm: Swarm, flag: str, value: str, field: str, expected: object) -> None:
    run = swarm("submit", "-p", "Work", "--hold", flag, value)
    assert run.returncode == 0, run.stderr
    assert task_of(swarm, run.stdout)[field] == expected


def test_the_base_of_a_repository_is_a_flag_too(swarm: Swarm, repo: Path) -> None:
    run = swarm("submit", "-p", "Work", "--hold", "--repo", str(repo), "--base-ref", "main")
    assert task_of(swarm, run.stdout)["baseRef"] == "main"


def test_a_pipe_gets_the_whole_id_and_nothing_else(swarm: Swarm) -> None:
    run = swarm("submit", "-p", "Work", "--hold")
    assert TASK_ID.match(run.stdout.strip())
    assert run.stderr == ""


def test_a_terminal_is_told_how_to_follow(swarm: Swarm) -> None:
    code, said = swarm.on_terminal("submit", "-p", "Work hard", "--hold", NO_COLOR="1")
    task_id = json.loads(swarm("status", "--json").stdout)["tasks"][0]["id"]
    assert (code, said) == (0, f"submitted {short(task_id)}  Work hard\nfollow: swarm logs -f {short(task_id)}\n")


def test_json_is_the_apis_own(swarm: Swarm) -> None:
    run = swarm("submit", "-p", "Work", "--hold", "--json")
    task = json.loads(run.stdout)
    assert task == task_of(swarm, task["id"])


def test_a_dot_is_the_repository_around(swarm: Swarm, repo: Path) -> None:
    swarm.folder = repo / "src"
    run = swarm("submit", "-p", "Work", "--hold", "--repo", ".")
    assert task_of(swarm, run.stdout)["repo"] == str(repo)


def test_a_folder_that_is_there_needs_no_dot(swarm: Swarm, repo: Path) -> None:
    swarm.folder = repo.parent
    run = swarm("submit", "-p", "Work", "--hold", "--repo", repo.name)
    assert task_of(swarm, run.stdout)["repo"] == str(repo)


def test_a_terminal_in_a_repository_is_told_that_none_was_named(swarm: Swarm, repo: Path) -> None:
    swarm.folder = repo
    note = "no --repo: the agent works in an empty repository of its own (--repo . for this one)\n"
    assert note in swarm.on_terminal("submit", "-p", "Work", "--hold")[1]
    assert note not in swarm.on_terminal("submit", "-p", "Work", "--hold", "--repo", ".")[1]


def test_a_dot_outside_a_repository_is_wrong_usage(lonely: Swarm) -> None:
    run = lonely("submit", "-p", "Work", "--repo", ".")
    assert run.returncode == 2
    assert run.stderr == f"error: . ({lonely.folder}) is no git repository\n hint: git init {lonely.folder}\n"


def test_a_git_hook_may_hand_out_work_on_another_repository(swarm: Swarm, repo: Path) -> None:
    """Git sets variables for its hooks that name the hook's own repository."""
    subprocess.run(["git", "init", "-q", swarm.folder / "other"], check=True)
    swarm.folder = repo
    run = swarm("submit", "-p", "Work", "--hold", "--repo", ".", GIT_DIR=str(swarm.folder.parent / "other/.git"))
    assert task_of(swarm, run.stdout)["repo"] == str(repo)


def test_a_dependency_may_be_named_short(swarm: Swarm) -> None:
    first = swarm("submit", "-p", "First", "--hold").stdout.strip()
    second = swarm("submit", "-p", "Second", "--depends-on", short(first)).stdout
    assert task_of(swarm, second)["dependsOn"] == [first]


def test_a_dependency_that_is_not_there_names_the_field(swarm: Swarm) -> None:
    run = swarm("submit", "-p", "Work", "--depends-on", "nothing")
    assert run.returncode == 2
    assert run.stderr.startswith("error: dependsOn.0: ")


def test_settings_of_the_config_are_defaults(swarm: Swarm) -> None:
    config = swarm.folder / "home/.config/claude-swarm/config.json"
    config.parent.mkdir(parents=True)
    config.write_text('{"defaultModel": "haiku", "defaultPriority": "low", "defaultTimeoutMinutes": 5}')
    task = task_of(swarm, swarm("submit", "-p", "Work", "--hold", "--priority", "high").stdout)
    assert (task["model"], task["priority"], task["timeoutMinutes"]) == ("haiku", "high", 5)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-p", ""], "prompt: must have at least 1 character, not 0"),
        (["-p", "x" * 100_001], "prompt: must have at most 100,000 characters, not 100,001"),
        (["-p", "x", "--label", "team"], "--label: 'team' must look like key=value"),
        (["-p", "x", "--base-ref", "-x"], "baseRef: must be a branch"),
        (["-p", "x", "--model", "-x"], "model: "),
        (["-p", "x", "--timeout", "0"], "timeoutMinutes: "),
        (["-p", "x", "--repo", "https://u:p@h/r"], "repo: must not hold credentials"),
        (["fix it"], "unexpected 'fix it'"),
        ([], "say what to do, in one way"),
        (["-p", "x", "-f", "y"], "say what to do, in one way"),
        (["-f", "nowhere.yaml"], "nowhere.yaml: No such file or directory"),
    ],
)
def test_wrong_input_is_told_with_its_field(lonely: Swarm, arguments: list[str], told: str) -> None:
    run = lonely("submit", *arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"error: {told}")


def test_what_is_not_built_yet_is_refused(swarm: Swarm) -> None:
    run = swarm("submit", "-f", "-", stdin="tasks: [{prompt: x, bestOf: 2}]")
    assert (run.returncode, run.stdout) == (2, "")
    assert "not supported by this version" in run.stderr


def test_a_repository_that_the_hub_keeps_away_from_names_the_setting(swarm: Swarm) -> None:
    """To whoever is no admin: an admin may name any."""
    key = swarm("keys", "create", "ci").stdout.strip()
    run = swarm("submit", "-p", "x", "--repo", "/", SWARM_API_KEY=key)
    assert run.returncode == 2
    assert run.stderr.endswith(" hint: set SWARM_REPO_ROOTS in the hub's environment\n")


def test_a_repository_that_does_not_exist_names_the_field(swarm: Swarm) -> None:
    run = swarm("submit", "-p", "x", "--repo", str(swarm.folder / "nowhere"))
    assert run.returncode == 2
    assert run.stderr.startswith("error: repo: ")
