"""The real Claude Code works against a scripted API."""

import subprocess

from claude.driving import PRICE, make_order, run
from scripted_api import Call, Drop, Request, ScriptedApi, Status, Text, Turn, Usage
from swarm_api.worker import LogReport, ProgressReport, UsageReport
from swarm_worker.runtimes import Place

USAGE = Usage(input=1000, output=50, cache_read=20, cache_write_5m=300, cache_write_1h=40)


def git(place: Place, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=place.workdir, check=True, capture_output=True, text=True
    ).stdout.strip()


def bash(command: str) -> Call:
    return Call("Bash", {"command": command, "description": "a command"})


async def test_it_edits_runs_commits_and_reports(api: ScriptedApi, place: Place) -> None:
    def looks(request: Request) -> Turn:
        return Turn((Text("All done." if "1 file changed" in request.results else "It failed."),), USAGE)

    note = str(place.workdir / "note.txt")
    api.scripts["add a note"] = [
        Turn((Text("I write the note."), Call("Write", {"file_path": note, "content": "hello\n"})), USAGE),
        Turn((bash("git add note.txt && git commit -m 'Add a note'"),), USAGE),
        looks,
    ]
    driven = await run(make_order(api.url, "Please add a note."), place)

    assert (driven.result.status, driven.result.summary, driven.result.turns) == ("success", "All done.", 3)
    assert git(place, "show", "--format=%s", "--name-only", "HEAD").split() == ["Add", "a", "note", "note.txt"]
    assert driven.lines("agent") == ["I write the note.", "All done."]
    calls = [line for line in driven.of(LogReport) if line.data and "tool" in line.data]
    assert [line.text for line in calls] == [f"Write: {note}", "Bash: git add note.txt && git commit -m 'Add a note'"]
    assert calls[0].data == {
        "tool": "Write",
        "toolUseId": calls[0].data and calls[0].data["toolUseId"],
        "input": {"file_path": note, "content": "hello\n"},
    }
    results = [line for line in driven.of(LogReport) if line.data and "isError" in line.data]
    assert [line.data and line.data["toolUseId"] for line in results] == [
        line.data and line.data["toolUseId"] for line in calls
    ]
    assert "1 file changed" in results[1].text
    assert driven.lines("stderr") == []
