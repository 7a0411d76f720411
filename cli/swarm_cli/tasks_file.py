"""`tasks.yaml`: defaults and tasks, read strictly, so that every mistake is told with its place in the file."""

import sys
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from swarm_api.errors import InvalidInput
from swarm_api.invalid import field_errors
from swarm_api.tasks import MAX_BATCH, TaskIn
from swarm_cli.faults import Fault, wrong_usage
from swarm_cli.repository import absolute_repo

_KEYS = ("defaults", "tasks")
_MAX_BYTES = 10 * 1024 * 1024  # what the hub takes
Fields = dict[str, Any]


class TasksFile:
    """A file of tasks. `name` is what errors call it."""

    def __init__(self, name: str, folder: Path, content: bytes) -> None:
        """Raises a usage `Fault` for what is no YAML, or no mapping with tasks."""
        self._name = name
        self._folder = folder
        self._root = self._composed(_decoded(name, content))
        self._defaults, self._entries = self._parts()

    @classmethod
    def read(cls, path: str) -> "TasksFile":
        """The file at a path, or stdin for `-`."""
        if path == "-":
            return cls("stdin", Path.cwd(), sys.stdin.buffer.read(_MAX_BYTES + 1))
        try:
            with Path(path).open("rb") as file:
                return cls(path, Path(path).absolute().parent, file.read(_MAX_BYTES + 1))
        except OSError as error:
            raise wrong_usage(f"{path}: {error.strerror}") from error

    def tasks(self, flags: Mapping[str, Any], settings: Mapping[str, Any]) -> list[TaskIn]:
        """The tasks. What a task leaves open is taken from the flags, then `defaults`, then the settings.

        Raises a usage `Fault` with the place of each field that is wrong.
        """
        around = {**settings, **self._defaults, **flags}
        return [self._task(at, {**around, **entry}) for at, entry in enumerate(self._entries)]

    def fault(self, error: InvalidInput) -> Fault:
        """What the hub found wrong with these tasks, by places in the file."""
        return self._fault(error.data.get("errors") or [{"loc": "", "msg": error.detail}])

    def _task(self, at: int, fields: Fields) -> TaskIn:
        if isinstance(repo := fields.get("repo"), str):
            fields["repo"] = absolute_repo(repo, self._folder)
        try:
            return TaskIn.model_validate(fields)
        except ValidationError as error:
            errors = [{**item, "loc": f"tasks.{at}.{item['loc']}"} for item in field_errors(error)]
            raise self._fault(errors) from error

    def _fault(self, errors: Iterable[Mapping[str, str]]) -> Fault:
        told = []
        for item in errors:
            path = item["loc"].split(".") if item["loc"] else []
            where = f"{item['loc']}: " if path else ""
            told.append(f"{self._place(path)}: {where}{item['msg']}")
        return wrong_usage("\n".join(told))

    def _composed(self, text: str) -> yaml.Node | None:
        try:
            return yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            raise wrong_usage(f"{self._name}{place}: not YAML: {error.problem or error.context}") from error
        except RecursionError as error:
            raise wrong_usage(f"{self._name}: nested too deeply") from error
        except yaml.YAMLError as error:
            raise wrong_usage(f"{self._name}: not YAML: {str(error).splitlines()[0]}") from error

    def _parts(self) -> tuple[Fields, list[Fields]]:
        if not isinstance(self._root, yaml.MappingNode):
            raise self._wrong(self._root, "must be a mapping with `tasks`, and `defaults` if you like")
        root = self._mapping(self._root)
        if "prompt" in root:
            return {}, [root]  # one task on its own, as the API takes it too
        if unknown := [key for key in root if key not in _KEYS]:
            raise self._wrong(self._node([unknown[0]]), f"{unknown[0]}: unknown; known are {', '.join(_KEYS)}")
        defaults, tasks = root.get("defaults") or {}, root.get("tasks")
        if not isinstance(defaults, dict):
            raise self._wrong(self._node(["defaults"]), "defaults: must be a mapping of a task's fields")
        if not isinstance(tasks, list) or not 1 <= len(tasks) <= MAX_BATCH:
            raise self._wrong(self._node(["tasks"]), f"tasks: must be a list of 1 to {MAX_BATCH:,} tasks")
        for at, task in enumerate(tasks):
            if not isinstance(task, dict):
                raise self._wrong(self._node(["tasks", str(at)]), f"tasks.{at}: must be a mapping of a task's fields")
        return defaults, tasks

    def _mapping(self, node: yaml.MappingNode) -> Fields:
        try:
            loaded: Fields = _Strict("").construct_document(node)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or node.start_mark
            raise wrong_usage(f"{self._name}:{mark.line + 1}:{mark.column + 1}: {error.problem}") from error
        return loaded

    def _wrong(self, node: yaml.Node | None, message: str) -> Fault:
        return wrong_usage(f"{self._name}{_mark(node)}: {message}")

    def _place(self, path: Sequence[str]) -> str:
        """Where a field is: its own place, or the one in `defaults` it comes from, or the nearest around it."""
        own = self._node(path)
        if own is None and len(path) > 2:
            own = self._node(["defaults", *path[2:]])
        while own is None and path:
            path = path[:-1]
            own = self._node(path)
        return f"{self._name}{_mark(own)}"

    def _node(self, path: Sequence[str]) -> yaml.Node | None:
        node: yaml.Node | None = self._root
        for part in path:
            node = _child(node, part)
        return node


def _child(node: yaml.Node | None, part: str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
        found: yaml.Node = node.value[int(part)]
        return found
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    return None


def _mark(node: yaml.Node | None) -> str:
    return f":{node.start_mark.line + 1}:{node.start_mark.column + 1}" if node else ""


def _decoded(name: str, content: bytes) -> str:
    if len(content) > _MAX_BYTES:
        raise wrong_usage(f"{name}: over {_MAX_BYTES:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise wrong_usage(f"{name}:{line}:{column}: byte {error.start} is not UTF-8") from error


class _Strict(yaml.SafeLoader):
    """Plain data only, and no key twice: YAML would silently keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            if key.value in seen and isinstance(key.value, str):
                raise yaml.constructor.ConstructorError(None, None, f"{key.value}: given twice", key.start_mark)
            if isinstance(key.value, str):
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)
