"""Tasks on the screen: the recent ones as a table, one as a page. Works on the API's JSON, without models."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from swarm_api.ids import short
from swarm_cli import look
from swarm_cli.blocked import after, brief, on_money, told, ways_on
from swarm_cli.costs import facts as cost_facts
from swarm_cli.costs import more_money, out_of_money
from swarm_cli.screen import Screen, first_line, joined, safe, wrapped
from swarm_cli.table import Cell, Column

if TYPE_CHECKING:
    from pydantic import BaseModel

Json = Mapping[str, Any]

_COLUMNS: tuple[Column, ...] = (
    Column("ID"), Column("STATUS"), Column("TASK", share=1), Column("OUTCOME", share=1), Column("TIME", right=True),
    Column("COST", right=True), Column("AGE", right=True),
)  # fmt: skip


def as_json(task: "BaseModel") -> Json:
    """A model as the API's JSON, which the functions here take."""
    return task.model_dump(mode="json", by_alias=True)


def title(task: Json) -> str:
    """What people know the task by: its name, and its prompt's first line."""
    prompt = first_line(task["prompt"])
    name = safe(task.get("name") or "")
    return f"{name}: {prompt}" if name else prompt


def name(task: Json) -> str:
    """Its name, or else its short id."""
    return safe(task.get("name") or "") or short(task["id"])


class Shown(NamedTuple):
    columns: tuple[Column, ...]
    rows: list[tuple[Cell, ...]]


def table(tasks: Sequence[Json], agents: Mapping[str, Json]) -> Shown:
    """Tasks as lines of a table, with the agents that work on them now. Where nothing costs, no cost is shown."""
    columns, rows = _COLUMNS, [_row(task, agents.get(task["id"])) for task in tasks]
    if any(on_money(task) for task in tasks):  # amounts are worth more than a title's end
        columns = tuple(column._replace(share=2) if column.title == "OUTCOME" else column for column in columns)
    if any(task["costMicroUsd"] for task in tasks):
        return Shown(columns, rows)
    free = columns.index(Column("COST", right=True))
    return Shown(columns[:free] + columns[free + 1 :], [row[:free] + row[free + 1 :] for row in rows])


def _row(task: Json, agent: Json | None) -> tuple[Cell, ...]:
    mark, style = look.mark(task["status"])
    return (
        Cell(short(task["id"]), "bold"),
        Cell(mark, style),
        Cell(title(task)),
        Cell(outcome(task, agent), "red" if task["status"] == "failed" else "dim"),
        Cell(run_time(task)),
        Cell(look.money(task["costMicroUsd"]) if task["costMicroUsd"] else ""),
        Cell(look.age(task["createdAt"]), "dim"),
    )


def values(task: Json) -> tuple[str, ...]:
    """The same for programs: whole ids, whole titles, exact times, whole cents."""
    spent = str(int(look.seconds_between(task.get("startedAt"), task.get("finishedAt")) or 0))
    cost = str(task["costCents"])
    return (task["id"], task["status"], title(task), outcome(task, None), spent, task["createdAt"], cost)


def run_time(task: Json) -> str:
    return look.duration(look.seconds_between(task.get("startedAt"), task.get("finishedAt")))


def outcome(task: Json, agent: Json | None) -> str:
    """What came of it, what it is at, or why it waits."""
    if task["status"] == "pending":
        return _why_waiting(task)
    result = task.get("result")
    if result is None:
        return _at_work(agent)
    if result["status"] == "budget":
        return out_of_money(task)
    if error := result.get("error"):
        return f"{safe(error['code'])}: {first_line(error['message'])}"
    return look.changes(len(result["filesChanged"]), result["additions"], result["deletions"])


def _why_waiting(task: Json) -> str:
    for blocked in task.get("blockedBy") or ():
        return after(task) if blocked["reason"] == "dependency" else brief(blocked)
    return "starting" if task.get("assignedAgent") else "ready"


def _at_work(agent: Json | None) -> str:
    if agent is None:
        return ""
    progress = agent["progress"]
    parts = [safe(progress.get("lastTool") or ""), look.plural(progress["turns"], "turn") if progress["turns"] else ""]
    if files := progress["filesChanged"]:
        parts.append(look.plural(files, "file"))
    return " · ".join(part for part in parts if part)


def page(task: Json, agent: Json | None, screen: Screen) -> Iterator[str]:
    """All about one task."""
    mark, style = look.mark(task["status"])
    name = safe(task.get("name") or "")
    yield f"{screen.paint('bold', short(task['id']))}  {screen.paint(style, mark)}  {name}".rstrip()
    yield ""
    yield from _text(task["prompt"], screen)
    yield ""
    facts = dict(_facts(task, agent))
    width = max(map(len, facts)) + 2
    for name, value in facts.items():
        first, *more = wrapped(value, screen, width + 2)
        yield f"  {screen.paint('dim', name)}{' ' * (width - len(name))}{first}"
        yield from (f"  {' ' * width}{line}" for line in more)
    for path in (task.get("result") or {}).get("filesChanged", ()):
        yield f"  {' ' * width}{safe(path)}"
    yield from _summary(task, screen)
    if screen.terminal:
        yield ""
        yield from (screen.paint("dim", f"  {line}") for line in joined(_next(task), screen, 2))


def _text(text: str, screen: Screen) -> Iterator[str]:
    """What somebody wrote, line for line, indented."""
    for line in text.splitlines():
        yield from (f"  {part}".rstrip() for part in wrapped(safe(line), screen, 2))


def _next(task: Json) -> Iterator[str]:
    """The commands that somebody who looks at this task is likely to want."""
    known = short(task["id"])
    if blocked := on_money(task):
        yield from ways_on(blocked)
    elif task["status"] == "pending":
        yield f"swarm execute {known}"
    if task["status"] in ("failed", "cancelled"):
        yield f"swarm retry {known}{more_money(task)}"
    if task["attempts"]:
        yield f"swarm logs {known}{' -f' if task['status'] == 'running' else ''}"
        yield f"swarm diff {known}"
    if task["status"] in ("pending", "running"):
        yield f"swarm cancel {known}"


def _summary(task: Json, screen: Screen) -> Iterator[str]:
    result = task.get("result") or {}
    if error := result.get("error"):
        yield ""
        yield f"  {screen.paint('red', safe(error['code']))}"
        yield from _text(error["message"], screen)
    if summary := result.get("summary"):
        yield ""
        yield from _text(summary, screen)


def _facts(task: Json, agent: Json | None) -> Iterator[tuple[str, str]]:
    yield "Task", task["id"]
    yield "Kind", f"{task['type']} · {safe(task['model'])} · {task['priority']} priority · {task['tier']}"
    yield "Repository", _source(task)
    yield "Submitted", f"{look.age(task['createdAt'])} ago"
    if task["status"] == "pending":
        yield "Waits", _waits(task)
    if task.get("startedAt"):
        yield "Ran" if task.get("finishedAt") else "Runs", _attempts(task)
    if names := task.get("dependsOn"):
        yield "After", " ".join(short(name) for name in names)
    if task.get("assignedAgent"):
        at = _at_work(agent)
        yield "Agent", task["assignedAgent"] + (f" · {at}" if at else "")
    if task.get("verify"):
        yield "Verify", first_line(task["verify"])
    if labels := task.get("labels"):
        yield "Labels", " ".join(f"{safe(key)}={safe(value)}" for key, value in sorted(labels.items()))
    if (usage := task["usage"])["output"]:
        yield "Tokens", f"{look.count(usage['input'] + usage['cacheRead'])} in · {look.count(usage['output'])} out"
    yield from cost_facts(task)
    yield from _delivered(task.get("result") or {})


def _waits(task: Json) -> str:
    """Every reason, each in words."""
    all_ = task.get("blockedBy") or ()
    reasons = [after(task) if blocked["reason"] == "dependency" else told(blocked) for blocked in all_]
    return "; ".join(dict.fromkeys(reasons)) or outcome(task, None)


def _source(task: Json) -> str:
    base = f" at {safe(task['baseRef'])}" if task.get("baseRef") else ""
    return f"{safe(task['repo'])}{base}" if task.get("repo") else "an empty one of its own"


def _attempts(task: Json) -> str:
    attempts = f"attempt {task['attempts']} of {task['maxAttempts']}" if task["maxAttempts"] > 1 else ""
    if not attempts and task["attempts"] > 1:
        attempts = f"attempt {task['attempts']}"
    return " · ".join(part for part in (run_time(task), attempts) if part)


def _delivered(result: Json) -> Iterator[tuple[str, str]]:
    if result.get("branch"):
        commit = f" at {result['commit'][:9]}" if result.get("commit") else ""
        yield "Branch", f"{safe(result['branch'])}{commit}"
    if result.get("pullRequestUrl"):
        yield "Pull request", safe(result["pullRequestUrl"])
    if result:
        yield "Changes", look.changes(len(result["filesChanged"]), result["additions"], result["deletions"])
