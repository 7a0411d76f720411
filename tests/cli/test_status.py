"""`swarm status`: a table for people, rows with tabs for programs, the API's own JSON."""

import json
import re
import urllib.request

import pytest

from cli.program import Swarm
from cli.work import ended, script
from swarm_api.ids import short

ESCAPE = "\x1b"


def test_json_is_the_apis_own(swarm: Swarm) -> None:
    ended(swarm, {"say": "hello"})
    headers = {"Authorization": f"Bearer {swarm.environ['SWARM_API_KEY']}"}
    request = urllib.request.Request(f"{swarm.environ['SWARM_URL']}/api/tasks", headers=headers)  # noqa: S310  # loopback
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        assert json.loads(swarm("status", "--json").stdout) == json.load(answer)


def test_a_pipe_gets_a_row_for_each_task_with_tabs_between_whole_values(swarm: Swarm) -> None:
    prompt = "Add a flag " + "x" * 200 + "\nand more"
    task_id = swarm("submit", "-p", prompt, "--hold", "--name", "flag").stdout.strip()
    values = swarm("status").stdout.splitlines()[0].split("\t")
    assert values[:3] == [task_id, "pending", "flag: Add a flag " + "x" * 200]
    assert values[3] == "hold: it waits for `execute`"


def test_a_terminal_gets_a_table_that_fits(swarm: Swarm) -> None:
    swarm("submit", "-p", "Add a flag " * 30, "--hold")
    _, said = swarm.on_terminal("status", columns=70, NO_COLOR="1")
    head, first, *_ = said.splitlines()
    assert head.split() == ["ID", "STATUS", "TASK", "OUTCOME", "TIME", "AGE"]
    assert "○ pending" in first
    assert max(map(len, said.splitlines())) <= 70


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour_is_for_terminals_that_want_it(swarm: Swarm, environ: dict[str, str], coloured: bool) -> None:
    swarm("submit", "-p", "x", "--hold")
    _, said = swarm.on_terminal("status", columns=80, **environ)
    assert (ESCAPE in said) == coloured


def test_a_terminal_without_utf_8_gets_no_traceback(swarm: Swarm) -> None:
    swarm("submit", "-p", "x", "--hold")
    code, said = swarm.on_terminal("status", PYTHONIOENCODING="ascii", NO_COLOR="1")
    assert code == 0
    assert "\\u25cb pending" in said


def test_one_task_is_a_page(swarm: Swarm) -> None:
    task_id = ended(swarm, {"write": ["a.txt", "hello\n"]}, {"done": "All is well"}, flags=("--name", "greet"))
    said = swarm("status", short(task_id)).stdout
    assert said.startswith(f"{short(task_id)}  ✓ completed  greet\n")
    for fact in (task_id, "1 file +1 −0", f"swarm/{short(task_id)}-greet at ", "a.txt", "All is well"):
        assert fact in said


def test_the_page_of_a_failed_task_has_its_reason(swarm: Swarm) -> None:
    said = swarm("status", ended(swarm, {"fail": "no tea left"})).stdout
    assert "✗ failed" in said
    assert "agent_failed\n  no tea left" in said


def test_filters_are_the_apis(swarm: Swarm) -> None:
    swarm("submit", "-p", "x", "--hold", "--label", "team=a")
    wanted = swarm("submit", "-p", "x", "--hold", "--label", "team=b", "--type", "docs").stdout.strip()
    run = swarm("status", "--label", "team=b", "--type", "docs", "--status", "pending", "--status", "running")
    assert [row.split("\t")[0] for row in run.stdout.splitlines()] == [wanted]


def test_a_status_that_does_not_exist_is_wrong_usage(swarm: Swarm) -> None:
    run = swarm("status", "--status", "sleeping")
    assert run.returncode == 2
    assert "status" in run.stderr


def test_pages_follow_each_other(swarm: Swarm) -> None:
    swarm("submit", "-", stdin="tasks: [{prompt: a, hold: true}, {prompt: b, hold: true}]")
    first = json.loads(swarm("status", "-n", "1", "--json").stdout)
    second = json.loads(swarm("status", "-n", "1", "--cursor", first["nextCursor"], "--json").stdout)
    assert [page["tasks"][0]["prompt"] for page in (first, second)] == ["b", "a"]


def test_a_terminal_is_told_how_to_go_on_with_the_same_filters(swarm: Swarm) -> None:
    batch = {"tasks": [{"prompt": "x", "hold": True, "labels": {"of": "pages"}}] * 3}
    swarm("submit", "-", stdin=json.dumps(batch))
    _, said = swarm.on_terminal("status", "--label", "of=pages", "-n", "1", NO_COLOR="1")
    assert said.splitlines()[-1] == "1 of 3; more: swarm status --label of=pages --limit 3"
    cursor = json.loads(swarm("status", "--label", "of=pages", "-n", "1", "--json").stdout)["nextCursor"]
    _, said = swarm.on_terminal("status", "--label", "of=pages", "-n", "1", "--cursor", cursor, NO_COLOR="1")
    assert "1 of 3; more: swarm status --label of=pages --limit 1 --cursor " in said
    assert cursor not in said


def test_agents_at_work_are_listed(swarm: Swarm) -> None:
    task_id = swarm("submit", "-p", script({"hang": True})).stdout.strip()
    agent = ""
    while not (rows := [row for row in swarm("agents").stdout.splitlines() if f"\trunning\t{task_id}\t" in row]):
        assert json.loads(swarm("status", task_id, "--json").stdout)["result"] is None
    agent = rows[0].split("\t")[0]
    assert re.fullmatch(r"local-agent-[0-9a-f]{8}", agent)
    _, said = swarm.on_terminal("agents", columns=120, NO_COLOR="1")
    assert short(task_id) in said
    swarm("cancel", task_id)


def test_the_queue_says_what_waits(swarm: Swarm) -> None:
    swarm("submit", "-p", "x", "--hold")
    rows = dict(line.split("\t") for line in swarm("queue").stdout.splitlines())
    assert set(rows) == {"running", "pending", "ready", "blocked", "oldest ready"}
    assert "hold" in rows["blocked"]
    assert json.loads(swarm("queue", "--json").stdout)["capacity"] == 20
