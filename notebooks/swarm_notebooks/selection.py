"""What a reader has selected, and the SQL that finds it."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, NamedTuple

Table = Literal["usage", "tasks"]
SCRATCH = "(scratch)"  # tasks without a repository
NONE = "(none)"  # tasks without the label

_DAY = {"usage": "day", "tasks": "CAST(finished_at AS DATE)"}
_KEYS = {"model": "model", "type": "type", "repo": f"coalesce(repo, '{SCRATCH}')"}


class Label(NamedTuple):
    key: str
    value: str


@dataclass(frozen=True)
class Selection:
    """Days of the hub's time zone, `since` and `until` included; None: no bound. `group`: `model`, `type`, `repo`, or
    `label:<key>`. The rest narrow it down; None: all."""

    since: date | None = None
    until: date | None = None
    group: str = "model"
    model: str | None = None
    type: str | None = None
    repo: str | None = None
    label: Label | None = None

    def by(self, group: str) -> "Selection":
        return replace(self, group=group)


class Part(NamedTuple):
    """A piece of a query and its parameters: `FROM {sql}`, with a column `key` for the group."""

    sql: str
    params: dict[str, Any]


def rows_of(table: Table, selection: Selection) -> Part:
    """The selected rows of a table, as what stands after FROM.

    Tasks are those that ended in the time.
    """
    params: dict[str, Any] = {}
    key, join = _key(selection.group, params)
    where = " AND ".join(_conditions(table, selection, params)) or "true"
    return Part(f"(SELECT *, {key} AS key, {_DAY[table]} AS on_day FROM {table}{join} WHERE {where})", params)


def _key(group: str, params: dict[str, Any]) -> tuple[str, str]:
    kind, _, label = group.partition(":")
    if kind in _KEYS:
        return _KEYS[kind], ""
    if kind != "label":
        raise ValueError(f"group is {group!r}; allowed: model, type, repo, label:<key>")
    params["group_key"] = label
    join = " LEFT JOIN (SELECT task_id, value AS label FROM labels WHERE key = $group_key) USING (task_id)"
    return f"coalesce(label, '{NONE}')", join


def _conditions(table: Table, selection: Selection, params: dict[str, Any]) -> list[str]:
    found = ["finished_at IS NOT NULL"] if table == "tasks" else []
    if selection.since is not None:
        params["since"] = selection.since.isoformat()
        found.append(f"{_DAY[table]} >= CAST($since AS DATE)")
    if selection.until is not None:
        params["until"] = selection.until.isoformat()
        found.append(f"{_DAY[table]} <= CAST($until AS DATE)")
    for name, expression in _KEYS.items():
        if (value := getattr(selection, name)) is not None:
            params[name] = value
            found.append(f"{expression} = ${name}")
    if selection.label is not None:
        params["label_key"], params["label_value"] = selection.label
        found.append("task_id IN (SELECT task_id FROM labels WHERE key = $label_key AND value = $label_value)")
    return found
