"""`swarm cancel`, `retry`, `execute` and `diff`."""

import json
import subprocess
from pathlib import Path
from typing import Any

from cli.program import Swarm
from cli.work import ended, script
from swarm_api.ids import short

UNFINISHED: list[dict[str, Any]] = [{"write": ["a.txt", "a\n"], "attempt": 1}, {"fail": "not yet", "attempt": 1}]


def task_of(swarm: Swarm, task_id: str) -> Any:
    return json.loads(swarm("status", task_id, "--json").stdout)


def held(swarm: Swarm, prompt: str = "[]") -> str:
    return swarm("submit", "-p", prompt, "--hold").stdout.strip()


def test_cancel_takes_several_and_short_ids(swarm: Swarm) -> None:
    first, second = held(swarm), held(swarm)
    run = swarm("cancel", first, short(second))
    assert run.returncode == 0
    assert run.stdout == f"{first}\tcancelled\n{second}\tcancelled\n"


def test_one_that_is_refused_does_not_keep_the_others_from_being_cancelled(swarm: Swarm) -> None:
    task_id = held(swarm)
    run = swarm("cancel", "nothing", task_id)
    assert run.returncode == 4
    assert run.stderr.startswith("error: there is no task nothing\n")
    assert task_of(swarm, task_id)["status"] == "cancelled"


def test_cancelling_what_has_completed_fails(swarm: Swarm) -> None:
    run = swarm("cancel", ended(swarm, {"say": "hello"}))
    assert run.returncode == 1
    assert "has completed already" in run.stderr


def test_retry_goes_on_where_it_stopped(swarm: Swarm) -> None:
    steps = [
        {"write": ["a.txt", "a\n"], "attempt": 1},
        {"fail": "not yet", "attempt": 1},
        {"run": "cat a.txt", "attempt": 2},
    ]
    task_id = ended(swarm, *steps)
    assert swarm("retry", task_id).returncode == 0
    assert "a" in swarm("logs", task_id, "-f").stdout.splitlines()


def test_retry_fresh_begins_at_the_base(swarm: Swarm) -> None:
    task_id = ended(swarm, *UNFINISHED, {"run": "ls", "attempt": 2})
    assert swarm("retry", task_id, "--fresh").returncode == 0
    assert "a.txt" not in swarm("logs", task_id, "-f").stdout.splitlines()


def test_the_log_of_a_second_attempt_says_that_another_agent_goes_on(swarm: Swarm) -> None:
    task_id = ended(swarm, {"fail": "not yet", "attempt": 1}, {"say": "here I am", "attempt": 2})
    swarm("retry", task_id)
    swarm("logs", task_id, "-f")
    agent = task_of(swarm, task_id)["assignedAgent"]
    assert f"── {agent} goes on ──" in swarm.on_terminal("logs", task_id, NO_COLOR="1")[1]


def test_execute_starts_what_is_held(swarm: Swarm) -> None:
    task_id = held(swarm, script({"say": "hello"}))
    run = swarm("execute", task_id)
    agent = run.stdout.split("\t")[2].strip()
    assert task_of(swarm, task_id)["assignedAgent"] == agent


def test_execute_wants_tasks_or_all(swarm: Swarm) -> None:
    assert swarm("execute").returncode == 2
    assert swarm("execute", "x", "--all").returncode == 2


def test_a_diff_can_be_applied(swarm: Swarm, repo: Path) -> None:
    task_id = ended(swarm, {"write": ["README.md", "# Another\n"]}, flags=("--repo", str(repo)))
    patch = swarm("diff", task_id).stdout
    subprocess.run(["git", "apply", "-"], cwd=repo, input=patch, text=True, check=True)
    assert (repo / "README.md").read_text() == "# Another\n"


def test_a_diff_keeps_bytes_that_are_not_utf_8(swarm: Swarm, repo: Path) -> None:
    command = r"printf 'caf\351\n' > latin.txt"
    task_id = ended(swarm, {"run": command}, flags=("--repo", str(repo)))
    run = subprocess.run([swarm.program, "diff", task_id], env=swarm.environ, capture_output=True, check=True)
    assert b"+caf\xe9\n" in run.stdout


def test_a_diffstat_is_as_gits(swarm: Swarm, repo: Path) -> None:
    task_id = ended(swarm, {"write": ["README.md", "# Another\n"]}, flags=("--repo", str(repo)))
    assert swarm("diff", task_id, "--stat").stdout == " README.md |    2 +-\n 1 file +1 −1\n"


def test_a_diff_as_json_has_every_file(swarm: Swarm, repo: Path) -> None:
    task_id = ended(swarm, {"write": ["new.txt", "a\n"]}, flags=("--repo", str(repo)))
    (file,) = json.loads(swarm("diff", task_id, "--json").stdout)["files"]
    assert (file["path"], file["status"], file["additions"]) == ("new.txt", "added", 1)
