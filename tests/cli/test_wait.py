"""`swarm submit --wait`: follows to the end, and its exit code is how it went."""

import json
import signal

from cli.program import LIMIT, Swarm
from cli.work import script
from swarm_api.ids import short

GOOD = script({"say": "hello"}, {"write": ["a.txt", "a\n"]})
BAD = script({"fail": "no tea left"})


def test_a_task_that_completes(swarm: Swarm) -> None:
    run = swarm("submit", "-p", GOOD, "--wait")
    *log, end = run.stdout.splitlines()
    assert run.returncode == 0
    assert "hello" in log
    assert end.startswith("branch swarm/")


def test_a_task_that_fails(swarm: Swarm) -> None:
    run = swarm("submit", "-p", BAD, "--wait")
    assert run.returncode == 1
    assert "agent_failed: no tea left" in run.stdout


def test_json_is_the_task_as_it_ended(swarm: Swarm) -> None:
    run = swarm("submit", "-p", GOOD, "--wait", "--json")
    task = json.loads(run.stdout)
    assert (task["status"], task["result"]["filesChanged"]) == ("completed", ["a.txt"])


def test_several_are_followed_by_their_events(swarm: Swarm) -> None:
    batch = json.dumps({"tasks": [{"prompt": GOOD, "name": "a"}, {"prompt": GOOD, "dependsOn": ["a"]}]})
    run = swarm("submit", "-", "--wait", stdin=batch)
    events = [line.split("\t")[1] for line in run.stdout.splitlines()]
    assert run.returncode == 0
    assert events.count("task_created") == events.count("task_started") == events.count("task_completed") == 2
    assert events[-1] == "task_completed"


def test_one_of_several_that_fails_is_enough(swarm: Swarm) -> None:
    batch = json.dumps(
        {"tasks": [{"prompt": BAD, "name": "a"}, {"prompt": GOOD}, {"prompt": GOOD, "dependsOn": ["a"]}]}
    )
    run = swarm("submit", "-", "--wait", "--json", stdin=batch)
    assert run.returncode == 1
    assert [task["status"] for task in json.loads(run.stdout)["tasks"]] == ["failed", "completed", "cancelled"]


def test_a_terminal_is_left_with_the_table(swarm: Swarm) -> None:
    (swarm.folder / "tasks.yaml").write_text(json.dumps({"tasks": [{"prompt": GOOD, "name": name} for name in "ab"]}))
    code, said = swarm.on_terminal("submit", "-f", "tasks.yaml", "--wait", columns=100)
    assert code == 0
    rows = said.splitlines()[-2:]
    assert all("✓ completed" in row and "1 file +1 −0" in row for row in rows)


def test_ctrl_c_leaves_the_task_alone(swarm: Swarm) -> None:
    run = swarm.start("submit", "-p", script({"say": "hello"}, {"wait_file": "go"}), "--wait")
    assert run.stdout is not None
    assert run.stderr is not None
    task_id = run.stderr.readline().strip()
    while "hello" not in run.stdout.readline():
        assert run.poll() is None
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=LIMIT)
    known = short(task_id)
    assert (run.returncode, said) == (130, f"the task goes on: swarm logs -f {known}, swarm cancel {known}\n")
    assert json.loads(swarm("status", task_id, "--json").stdout)["status"] == "running"
    swarm("cancel", task_id)
