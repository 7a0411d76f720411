"""What a worker and the hub say to each other on `/worker/v1`.

Plain dataclasses: a worker has 250 ms until it reports, and pydantic's models would take a hundred of them. The
hub validates the same classes with pydantic, which reads `__pydantic_config__`. Both sides ignore what they do not
know, so that old workers and new hubs get on.
"""

from dataclasses import dataclass, field, fields, is_dataclass
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_type_hints

from annotated_types import Ge, Le, Len, MaxLen

from swarm_api.words import RepoSettings, ResultStatus, Runtime, Stream, camel

MAX_REPORTS = 1_000
MAX_LINE = 32_768  # characters of one log line; a worker cuts longer ones and says so in the line
MAX_WAIT = 25  # seconds an answer may be held back until there is control

Count = Annotated[int, Ge(0), Le(2**53)]  # beyond, not every reader of JSON keeps a number whole
Moment = Annotated[int, Ge(0), Le(253_402_300_799_999)]  # milliseconds, to the end of the year 9999
T = TypeVar("T")


class Wire:
    __pydantic_config__: ClassVar[dict[str, Any]] = {"alias_generator": camel, "extra": "ignore"}


@dataclass(frozen=True, kw_only=True)
class Claim(Wire):
    """`incarnation` is drawn by each worker process: of two that carry the same agent, the second is turned away."""

    incarnation: Annotated[str, Len(8, 64)]


@dataclass(frozen=True, kw_only=True)
class Source(Wire):
    """Where the code comes from. `scratch`: an empty repository of the task's own.

    `hub`: a repository at the hub, which opens with the worker's token; `base_ref` is the commit to start from, and
    the branch is pushed there. `upload`: the name of one that was pushed to the hub, for the hub alone.
    """

    kind: Literal["local", "url", "scratch", "hub", "upload"]
    location: str = ""
    base_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class Limits(Wire):
    """`max_budget_micro_usd`: what the attempt may cost, for a runtime that no gateway watches: it does what it can."""

    timeout_seconds: float
    memory_mb: int
    cpus: int
    max_turns: int | None = None
    max_budget_micro_usd: int | None = None


@dataclass(frozen=True, kw_only=True)
class Upstream(Wire):
    """How the runtime reaches the model. With `inject` the key is the real one; it goes nowhere but the runtime."""

    base_url: str | None = None
    api_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class Resume(Wire):
    """What earlier attempts at the same task left: the work goes on from their branch and session.

    `transcript`: the session as the hub keeps it for agents elsewhere; none where the machine has it.
    """

    session_id: str | None = None
    summary: str = ""
    transcript: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Sandbox(Wire):
    """What the agent's commands run in. `network`: the `hub`'s model endpoint alone, or `all` the machine reaches."""

    kind: Literal["bubblewrap"] = "bubblewrap"
    network: Literal["hub", "all"] = "hub"


@dataclass(frozen=True, kw_only=True)
class WorkOrder(Wire):
    """All a worker needs to know.

    `workspace` is the folder below which it keeps its files (none: its own cache folder). `resume` is None for work
    that starts from the base: a first attempt, or a fresh one.
    """

    agent_id: str
    task_id: str
    attempt: int
    prompt: str
    model: str
    runtime: Runtime
    source: Source
    branch: str
    limits: Limits
    name: str | None = None
    context: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    deliver: Literal["branch", "patch"] = "branch"
    push: bool = False
    verify: str | None = None
    repo_settings: RepoSettings = "none"
    upstream: Upstream = field(default_factory=Upstream)
    resume: Resume | None = None
    workspace: str | None = None
    sandbox: Sandbox | None = None


@dataclass(frozen=True, kw_only=True)
class LogReport(Wire):
    """A line, without its newline. `at_ms` is its time since the epoch, `elapsed_ms` since the agent's start."""

    kind: Literal["log"] = "log"
    n: Count = 0
    stream: Stream
    text: Annotated[str, MaxLen(MAX_LINE)]
    at_ms: Moment = 0
    elapsed_ms: Count = 0
    data: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class UsageReport(Wire):
    """Tokens and cost of one model since the last such report: a difference, not a total."""

    kind: Literal["usage"] = "usage"
    n: Count = 0
    model: str
    input: Count = 0
    output: Count = 0
    cache_read: Count = 0
    cache_write_5m: Count = 0
    cache_write_1h: Count = 0
    cost_micro_usd: Count = 0


@dataclass(frozen=True, kw_only=True)
class FilesReport(Wire):
    """Paths touched so far, relative to the repository: the whole list each time."""

    kind: Literal["files"] = "files"
    n: Count = 0
    paths: list[str]


@dataclass(frozen=True, kw_only=True)
class ProgressReport(Wire):
    """What changed since the last one; None leaves a value as it was. CPU and memory are of the whole process tree."""

    kind: Literal["progress"] = "progress"
    n: Count = 0
    turns: Count | None = None
    last_tool: str | None = None
    session_id: str | None = None
    cpu_percent: float | None = None
    rss_mb: float | None = None


@dataclass(frozen=True, kw_only=True)
class SessionReport(Wire):
    """What the runtime has written down of its session since the last one: the hub keeps it and looks at none of it."""

    kind: Literal["session"] = "session"
    n: Count = 0
    session_id: Annotated[str, MaxLen(200)]
    entries: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ResultReport(Wire):
    """The last report. Of all error codes only `runtime_crashed` and `out_of_memory` may cost another attempt."""

    kind: Literal["result"] = "result"
    n: Count = 0
    status: ResultStatus
    summary: str = ""
    error_code: str | None = None
    error_message: str | None = None
    branch: str | None = None
    base_commit: str | None = None
    commit: str | None = None
    files_changed: list[str] = field(default_factory=list)
    additions: Count = 0
    deletions: Count = 0
    duration_ms: Count = 0
    turns: Count = 0
    patch: str | None = None


@dataclass(frozen=True, kw_only=True)
class UnknownReport(Wire):
    """A kind this hub does not know: counted as stored, and left alone."""

    kind: str
    n: Count = 0


# A runtime leaves `n`, `at_ms` and `elapsed_ms` at 0; the worker fills them in when it takes a report in hand.
Report = LogReport | UsageReport | FilesReport | ProgressReport | SessionReport | ResultReport


@dataclass(frozen=True, kw_only=True)
class Control(Wire):
    """Something the worker must do. Repeated with every answer until it is seen.

    The `reason` of a cancel: `cancelled`, `budget` (its money is spent), `usage_limit` or `limit` (it will
    go on later).
    """

    c: int
    kind: Literal["message", "cancel", "decision", "token"]
    reason: str | None = None
    text: str | None = None
    interrupt: bool = False


@dataclass(frozen=True, kw_only=True)
class Ack(Wire):
    """`stored`: the highest report number that is durable; what comes after it must be sent again."""

    stored: int
    control: list[Control] = field(default_factory=list)


def to_wire(value: Any) -> Any:
    """The JSON form of a dataclass of this module: camelCase, without what is None."""
    if is_dataclass(value):
        pairs = ((item.name, getattr(value, item.name)) for item in fields(value))
        return {camel(name): to_wire(inner) for name, inner in pairs if inner is not None}
    if isinstance(value, list):
        return [to_wire(item) for item in value]
    return value


def from_wire(kind: type[T], data: dict[str, Any]) -> T:
    """A dataclass of this module from the hub's JSON. Unknown fields are ignored; a missing one raises `TypeError`."""
    hints = get_type_hints(kind)
    known = {name: data[camel(name)] for name in hints if name != "__pydantic_config__" and camel(name) in data}
    return kind(**{name: _decode(hints[name], value) for name, value in known.items()})


def _decode(hint: Any, value: Any) -> Any:
    if isinstance(hint, UnionType):
        hint = next(arm for arm in get_args(hint) if arm is not type(None))
    if isinstance(value, dict) and is_dataclass(hint):
        return from_wire(hint, value)  # type: ignore[arg-type]  # is_dataclass does not narrow to a class
    if isinstance(value, list) and is_dataclass(inner := (get_args(hint) or (None,))[0]):
        return [from_wire(inner, item) for item in value]  # type: ignore[arg-type]
    return value
