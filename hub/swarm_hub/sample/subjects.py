"""What the made-up tasks are about."""

from typing import NamedTuple

from swarm_api.words import TaskType


class Place(NamedTuple):
    """A repository and whose it is."""

    repo: str
    team: str
    files: tuple[str, ...]


PLACES = (
    Place("https://git.example.com/shop.git", "storefront", (
        "cart.py", "checkout.py", "vouchers.py", "tests/test_cart.py", "README.md",
    )),
    Place("https://git.example.com/payments.git", "payments", (
        "ledger/book.go", "ledger/book_test.go", "refunds/refund.go", "docs/refunds.md", "api/routes.go",
    )),
    Place("/srv/repositories/site", "web", ("src/pages/index.tsx", "src/search.ts", "src/search.test.ts", "style.css")),
    Place("ssh://git@git.example.com/infra.git", "platform", (
        "main.tf", "network.tf", "scripts/rotate.sh", "docs/runbook.md",
    )),
)  # fmt: skip
OFTEN = (40, 25, 22, 13)

TYPES: tuple[TaskType, ...] = ("code", "review", "docs", "test", "security", "research")
TYPES_OFTEN = (46, 16, 11, 15, 5, 7)
SIZE: dict[TaskType, float] = {
    "code": 1.0, "review": 0.55, "docs": 0.45, "test": 0.8, "security": 1.3, "research": 0.9,
}  # fmt: skip

VERBS: dict[TaskType, tuple[str, ...]] = {
    "code": ("Add", "Mend", "Speed up", "Take apart", "Replace"),
    "review": ("Review", "Look over"),
    "docs": ("Describe", "Document"),
    "test": ("Test", "Cover"),
    "security": ("Audit", "Harden"),
    "research": ("Find out about", "Compare ways of doing"),
}
THINGS = (
    "rounding", "vouchers", "retries", "the search box", "log rotation", "refunds", "the login form", "pagination",
    "the nightly export", "currency conversion", "the health check", "address forms", "image sizes", "rate limits",
    "the invoice layout", "session expiry", "stock levels", "the mail templates",
)  # fmt: skip

ALIASES = ("sonnet", "opus", "haiku")
ALIASES_OFTEN = (58, 24, 18)
BEFORE = {"sonnet": "claude-sonnet-4-6", "opus": "claude-opus-4-7", "haiku": "claude-haiku-4-5"}
SINCE = {"sonnet": "claude-sonnet-5-5", "opus": "claude-opus-5-5", "haiku": "claude-haiku-5-5"}

SKILL = {"sonnet": 0.90, "opus": 0.95, "haiku": 0.80}
"""How often they succeed at the first attempt."""

TOOLS = ("Read", "Edit", "Bash", "Grep", "Write", "Glob", "Task", "WebFetch")
TOOLS_OFTEN = (30, 22, 24, 11, 5, 3, 3, 2)
FAILS = {"Bash": 0.17, "Edit": 0.06, "Read": 0.02, "WebFetch": 0.12}
COMMANDS = ("pytest -q", "go test ./...", "npm test", "git diff --stat", "ls -la", "ruff check", "make lint")

MESSAGES = {
    "agent_failed": "the model gave up: the tests still fail",
    "verify_failed": "`make test` ended with 2",
    "max_turns": "it took all the turns it may",
    "api_error": "the model answered 529: overloaded",
    "runtime_crashed": "the runtime ended with signal 11",
    "out_of_memory": "it used more memory than its tier has",
    "worker_lost": "the worker exited",
    "timeout": "it passed its time limit",
    "cancelled": "it was cancelled",
    "budget_exceeded": "its budget is spent, and its next call might pass it; its work is kept",
}
