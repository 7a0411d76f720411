"""The real Claude Code works against a scripted API."""

import subprocess
from dataclasses import replace

import pytest

from claude.driving import KEY, Driven, bash, make_order, run, running
from scripted_api import (
    Call,
    Drop,
    Fault,
    Hang,
    Request,
    Reset,
    ScriptedApi,
    Status,
    StreamError,
    Text,
    Truncate,
    Turn,
    Usage,
)
from swarm_api.worker import Limits, LogReport, ProgressReport, Upstream, UsageReport
from swarm_worker.runtimes import Place

USAGE = Usage(input=1000, output=50, cache_read=20, cache_write_5m=300, cache_write_1h=40)
COST = 1000 * 2 + 50 * 10 + 20 * 0.1 + 300 * 2.5 + 40 * 4  # micro-dollars
TOKENS = {"input": 1000, "output": 50, "cache_read": 20, "cache_write_5m": 300, "cache_write_1h": 40}


def git(place: Place, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=place.workdir, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def expect_usage(driven: Driven, answers: int) -> None:
    assert driven.used == {name: answers * count for name, count in TOKENS.items()} | {"cost_micro_usd": answers * COST}


async def test_it_edits_a_file_runs_a_command_and_commits(api: ScriptedApi, place: Place) -> None:
    def looks(request: Request) -> Turn:
        return Turn((Text("All done." if "1 file changed" in request.results else "It failed."),))

    note = str(place.workdir / "note.txt")
    api.scripts["add a note"] = [
        Turn((Call("Write", {"file_path": note, "content": "hello\n"}),)),
        Turn((bash("git add note.txt && git commit -m 'Add a note'"),)),
        looks,
    ]
    driven = await run(make_order(api.url, "Please add a note."), place)
    assert (driven.result.status, driven.result.summary, driven.result.turns) == ("success", "All done.", 3)
    assert git(place, "show", "--format=%s", "--name-only", "HEAD").splitlines() == ["Add a note", "", "note.txt"]


async def test_text_calls_and_results_are_log_lines(api: ScriptedApi, place: Place) -> None:
    long = "long " * 4000
    api.scripts["tell"] = [
        Turn((Text("I look."), bash(f"echo {long}"))),
        Turn((bash("exit 3"),)),
        Turn((Text("Bad."),)),
    ]
    driven = await run(make_order(api.url, "tell"), place)
    calls = [line for line in driven.of(LogReport) if line.data and "tool" in line.data]
    results = [line for line in driven.of(LogReport) if line.data and "isError" in line.data]
    assert driven.lines("agent") == ["I look.", "Bad."]
    assert calls[1].text == "Bash: exit 3"
    assert calls[1].data == {
        "tool": "Bash",
        "input": {"command": "exit 3", "description": "a command"},
        "toolUseId": results[1].data and results[1].data["toolUseId"],
    }
    assert [line.data and line.data["isError"] for line in results] == [False, True]
    assert all(len(str(line)) < 20_000 for line in [*calls, *results])
    assert calls[0].data is not None
    assert calls[0].data["input"]["command"].endswith("… [20,005 characters, cut]")


async def test_progress_says_turns_tool_and_session(api: ScriptedApi, place: Place) -> None:
    api.scripts["count"] = [Turn((Text("First."), bash("true"))), Turn((Text("Second."),))]
    driven = await run(make_order(api.url, "count"), place)
    said = driven.of(ProgressReport)
    assert said[0].session_id == api.seen[0].request.session
    assert [report.turns for report in said if report.turns] == [1, 2]
    assert [report.last_tool for report in said if report.last_tool] == ["Bash"]


async def test_usage_is_reported_for_each_answer_as_soon_as_it_is_complete(api: ScriptedApi, place: Place) -> None:
    flag = place.tmp / "go"
    waits = f"until [ -e {flag} ]; do sleep 0.05; done"
    api.scripts["spend"] = [Turn((Text("One."), bash(waits)), USAGE), Turn((Text("Two."),), USAGE)]
    async with running(make_order(api.url, "spend"), place) as (driven, task):
        await driven.wait_for_usage()
        expect_usage(driven, answers=1)
        flag.touch()
        await task
    expect_usage(driven, answers=2)
    assert {report.model for report in driven.of(UsageReport)} == {"claude-sonnet-5-5"}


async def test_what_subagents_use_counts(api: ScriptedApi, place: Place) -> None:
    agents = [Call("Agent", {"description": d, "prompt": f"dig {d}", "subagent_type": "Explore"}) for d in ("a", "b")]
    api.scripts["dig"] = [Turn((bash("true"),), USAGE), Turn((Text("Found."),), USAGE)]
    api.scripts["delegate"] = [Turn(tuple(agents), USAGE), Turn((Text("Both are back."),), USAGE)]
    driven = await run(make_order(api.url, "delegate"), place)
    assert (driven.result.summary, driven.result.turns) == ("Both are back.", 2)
    assert sum(report.input for report in driven.of(UsageReport)) == 6 * USAGE.input
    assert len(api.answered("dig")) == 4


async def test_the_api_may_be_overloaded_and_break_off(api: ScriptedApi, place: Place) -> None:
    api.scripts["try"] = [Turn((Text("At last."),), USAGE, (Status(529), Drop()))]
    driven = await run(make_order(api.url, "try"), place)
    assert [seen.outcome for seen in api.seen] == ["529", "drop", "answered"]
    assert (driven.result.status, driven.result.summary) == ("success", "At last.")
    assert [line.rsplit(";")[0] for line in driven.lines("system")] == [
        "The API answered 529",
        "The answer of the API broke off",
    ]
    assert driven.used["input"] in (1000, 2000)  # what arrived of the broken answer is counted too


@pytest.mark.parametrize("fault", [Reset(), Reset(after=3), Truncate(), StreamError()], ids=repr)
async def test_it_gets_over(api: ScriptedApi, place: Place, fault: Fault) -> None:
    api.scripts["try"] = [Turn((Text("At last."),), faults=(fault,))]
    driven = await run(make_order(api.url, "try"), place)
    assert (driven.result.status, driven.result.summary) == ("success", "At last.")


async def test_a_stream_that_falls_silent_is_asked_again(api: ScriptedApi, place: Place) -> None:
    """Within seconds instead of minutes, for the test. The second request does not stream."""
    soon = replace(place, env={**place.env, "CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS": "1000"})
    api.scripts["try"] = [Turn((Text("At last."),), faults=(Hang(after=3),))]
    driven = await run(make_order(api.url, "try"), soon)
    assert driven.result.summary == "At last."
    assert [(seen.outcome, seen.streaming) for seen in api.seen] == [("disconnected", True), ("answered", False)]


@pytest.mark.parametrize("code", [400, 403, 404, 529])
async def test_an_api_that_keeps_failing_fails_the_task(api: ScriptedApi, place: Place, code: int) -> None:
    once = replace(place, env={**place.env, "CLAUDE_CODE_MAX_RETRIES": "1"})
    api.scripts["try"] = [Turn((Text("Never."),), faults=(Status(code, "some_error"),) * 20)]
    driven = await run(make_order(api.url, "try"), once)
    assert (driven.result.status, driven.result.error_code, driven.result.turns) == ("failure", "api_error", 0)
    assert f"the API answered {code}" in (driven.result.error_message or "")


async def test_turns_may_be_limited(api: ScriptedApi, place: Place) -> None:
    api.scripts["go on"] = [Turn((bash("true"),))] * 5
    limits = Limits(timeout_seconds=60, memory_mb=1024, cpus=1, max_turns=2)
    driven = await run(make_order(api.url, "go on", limits=limits), place)
    assert (driven.result.status, driven.result.error_code, driven.result.turns) == ("failure", "max_turns", 2)


async def test_a_key_is_needed(api: ScriptedApi, place: Place) -> None:
    api.scripts["hello"] = [Turn((Text("Hello."),))]
    driven = await run(make_order(api.url, "hello", upstream=Upstream(base_url=api.url)), place)
    assert (driven.result.status, driven.result.error_code) == ("failure", "api_error")
    assert api.seen == []


async def test_the_model_hears_the_context_the_branch_and_the_task(api: ScriptedApi, place: Place) -> None:
    api.scripts["hello"] = [Turn((Text("Hello."),))]
    await run(make_order(api.url, "hello", context="The moon is full.", verify="make test", model="haiku"), place)
    (seen,) = api.seen
    heard = seen.request.text
    assert all(text in heard for text in ("The moon is full.", "swarm/a-task", "make test", str(place.workdir)))
    assert seen.request.body["model"].startswith("claude-haiku")
    assert seen.headers["x-api-key"] == KEY
