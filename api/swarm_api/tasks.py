"""Tasks: what someone wants done, and what came of it."""

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from swarm_api.base import Answer, Cents, Model, Text, Timestamp
from swarm_api.words import (
    BlockReason,
    CostBasis,
    Deliver,
    Priority,
    RepoSettings,
    ResultStatus,
    TaskStatus,
    TaskType,
    Tier,
)

MAX_PROMPT = 100_000
MAX_BATCH = 1_000

_SCP_URL = re.compile(r"^(?:[A-Za-z0-9_.][A-Za-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!//)[^-].*$")
_OWNER_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._][A-Za-z0-9._-]*$")
_REF = re.compile(r"(?!-)(?!.*(?:\.\.|@\{|//|/\.|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]+(?<![./])")


_UPLOAD = re.compile(r"swarm://git/[a-z0-9][a-z0-9-]{0,62}")


def _repo(value: str) -> str:
    """An absolute path, a git URL (https, ssh, file, or `host:path`), GitHub's `owner/name`, or `swarm://git/name`.

    The last is what was pushed to the hub.
    """
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("must not hold control characters")
    if value.startswith("/") or _OWNER_NAME.match(value) or _UPLOAD.fullmatch(value):
        return value
    if "://" in value:
        return _repo_url(value)
    if _SCP_URL.match(value) and "::" not in value:
        return value
    raise ValueError("must be an absolute path, a git URL (https, ssh, file, host:path) or owner/name")


def _repo_url(value: str) -> str:
    url = urlsplit(value)
    # Compared as written: git knows a scheme in small letters alone, and spaces before it make it a path.
    if value.partition("://")[0] not in ("https", "ssh", "file"):
        raise ValueError("a git URL must be https, ssh or file")
    if url.scheme == "file" and (url.netloc or any(part in value for part in ("?", "#", "%00"))):
        # git takes `file://a/b` for the path `//a/b`, and `?` and `#` for parts of a name.
        raise ValueError("a file URL must be file:/// and a path")
    if url.password or (url.scheme == "https" and url.username):
        raise ValueError("must not hold credentials; they would be stored and shown")
    if url.scheme != "file" and (not url.hostname or url.netloc.startswith("-") or url.hostname.startswith("-")):
        raise ValueError("the URL must name a host")
    return value


def _ref(value: str) -> str:
    if not _REF.fullmatch(value):
        raise ValueError("must be a branch, tag or commit as git names them, and must not begin with '-'")
    return value


Repo = Annotated[str, StringConstraints(min_length=1, max_length=4096), AfterValidator(_repo)]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=250), AfterValidator(_ref)]
LabelKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$")]
LabelValue = Annotated[Text, StringConstraints(max_length=256)]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,127}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")]


class TaskIn(Model):
    """What someone wants done. Only `prompt` is required."""

    prompt: Annotated[Text, Field(min_length=1, max_length=MAX_PROMPT, description="What to do.")]
    type: TaskType = "code"
    model: Annotated[ModelName, Field(description="`opus`, `sonnet`, `haiku` or a full model id.")] = "sonnet"
    priority: Annotated[Priority, Field(description="Waiting lifts it: an hour is worth one level.")] = "normal"
    repo: Annotated[
        Repo | None, Field(description="An absolute path, a git URL or `owner/name`; none: an empty scratch repo.")
    ] = None
    base_ref: Annotated[Ref | None, Field(description="Where the branch starts; none: the repository's HEAD.")] = None
    depends_on: Annotated[
        list[Name], Field(max_length=100, description="Task ids, or names within the batch, that must complete first.")
    ] = []
    name: Annotated[Name | None, Field(description="What others in the batch call it, and the branch's slug.")] = None
    context: Annotated[Text | None, Field(max_length=MAX_PROMPT, description="Background for the agent.")] = None
    budget_cents: Annotated[
        Cents | None, Field(description="What all its attempts may spend on the model; none: by the hub's setting.")
    ] = None
    timeout_minutes: Annotated[
        float | None, Field(ge=0.01, le=10_080, description="After this the agent is interrupted and its work kept.")
    ] = None
    max_attempts: Annotated[
        int, Field(ge=1, le=10, description="Attempts that lost workers and crashed runtimes may cost.")
    ] = 1
    max_turns: Annotated[int | None, Field(ge=1, le=10_000, description="Turns the model may take.")] = None
    best_of: Annotated[int, Field(ge=1, le=8)] = 1
    tier: Annotated[Tier | None, Field(description="None: by type and model.")] = None
    hold: Annotated[bool, Field(description="Wait for `execute`.")] = False
    deliver: Deliver = "branch"
    push: Annotated[bool, Field(description="Also push the branch to the repository's `origin`.")] = False
    verify: Annotated[
        Text | None, Field(min_length=1, max_length=10_000, description="A shell command that must exit 0.")
    ] = None
    verify_attempts: Annotated[int, Field(ge=1, le=10)] = 1
    paths: Annotated[list[str], Field(max_length=1_000)] = []
    conflict_policy: Literal["warn", "tell", "hold"] = "warn"
    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=32)] = {}
    permission_mode: Literal["auto", "ask"] = "auto"
    repo_settings: Annotated[
        RepoSettings | None,
        Field(description="Whether the repository's `.claude/` and `.mcp.json` count; none: `project` for paths only."),
    ] = None

    @property
    def effective_tier(self) -> Tier:
        if self.tier:
            return self.tier
        if self.type in ("docs", "review"):
            return "light"
        if self.type == "security" or (self.type == "code" and "opus" in self.model):
            return "heavy"
        return "standard"


class Batch(Model):
    """One to a thousand tasks: all of them or none."""

    tasks: Annotated[list[TaskIn], Field(min_length=1, max_length=MAX_BATCH)]

    @model_validator(mode="before")
    @classmethod
    def _count_first(cls, data: Any) -> Any:
        # Pydantic would validate a million tasks before it says that there are too many.
        if isinstance(data, dict) and isinstance(tasks := data.get("tasks"), list) and len(tasks) > MAX_BATCH:
            raise ValueError(f"tasks: at most {MAX_BATCH:,} in a batch, not {len(tasks):,}")
        return data


class RetryIn(Model):
    """`budget_cents` is the task's budget from now on, what it has spent already included."""

    budget_cents: Cents | None = None
    fresh: Annotated[bool, Field(description="Start from the base instead of the branch and session so far.")] = False


class Blocked(Answer):
    reason: BlockReason
    detail: str
    until: Timestamp | None = None


class Tokens(Answer):
    """Tokens as the model's API counted them; cache writes by how long they are kept."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0


class ModelUsage(Tokens):
    """What one model used, and what that cost. `cost_basis`: metered at the gateway, with guesses, or as reported."""

    cost_micro_usd: int = 0
    cost_basis: CostBasis | None = None


class Usage(Tokens):
    """What all models used together, and each of them."""

    by_model: dict[str, ModelUsage] = {}


class ErrorOut(Answer):
    code: str
    message: str


class Result(Answer):
    """How a task ended, and where its work is."""

    status: ResultStatus
    summary: str = ""
    error: ErrorOut | None = None
    branch: str | None = None
    base_commit: str | None = None
    commit: str | None = None
    files_changed: list[str] = []
    additions: int = 0
    deletions: int = 0
    pull_request_url: str | None = None
    cost_cents: int = 0
    duration_ms: int = 0
    turns: int = 0


class Task(Answer):
    """A task as the hub knows it. `seq`: follow the journal from here and miss nothing of it.

    `cost_…` is what it spent on the model, `compute_…` what the machines of its ended agents cost beside it.
    """

    id: str
    name: str | None = None
    status: TaskStatus
    prompt: str
    type: TaskType
    model: str
    priority: Priority
    repo: str | None = None
    base_ref: str | None = None
    depends_on: list[str] = []
    context: str | None = None
    budget_cents: int | None = None
    timeout_minutes: float
    max_attempts: int
    max_turns: int | None = None
    tier: Tier
    hold: bool
    deliver: Deliver
    push: bool
    verify: str | None = None
    labels: dict[str, str] = {}
    repo_settings: RepoSettings
    created_at: Timestamp
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    assigned_agent: str | None = None
    attempts: int = 0
    blocked_by: list[Blocked] = []
    parent_id: str | None = None
    cost_cents: int = 0
    cost_micro_usd: int = 0
    compute_cents: int = 0
    compute_micro_usd: int = 0
    usage: Usage = Usage()
    result: Result | None = None
    seq: int


class TaskList(Answer):
    tasks: list[Task]
    total: int
    next_cursor: str | None = None
    page: int | None = None
    limit: int
    seq: int


class TaskBatch(Answer):
    tasks: list[Task]


class FileDiff(Answer):
    path: str
    old_path: str | None = None
    status: Literal["added", "modified", "deleted", "renamed", "copied", "type_changed"]
    additions: int
    deletions: int
    binary: bool = False
    patch: str = ""


class Diff(Answer):
    base_commit: str | None
    commit: str | None
    files: list[FileDiff]
    additions: int
    deletions: int
