"""What an agent does: calls of the model with all classes of tokens, and the log with its tools."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from pydantic_core import to_json

from swarm_api.tasks import ModelUsage, Usage
from swarm_hub.prices import Metered, Prices
from swarm_hub.sample.subjects import COMMANDS, FAILS, TOOLS, TOOLS_OFTEN
from swarm_hub.spent import TOKENS

Row = dict[str, Any]
MOST_TURNS = 40
_SLOWEST_TOOL = 45_000
_SAID = (
    "I look at the tests first. They say what must not change, and which of it nobody has said yet. ",
    "The cause is in the rounding: each line is rounded by itself, and the sum is not what was shown. ",
    "All tests pass. I go over the change once more and take out what is not needed. ",
)
_OUTPUT = "tests/test_cart.py ..........s.....  [100%]\n" * 40


@dataclass
class Used:
    """Tokens and micro-dollars by model."""

    by_model: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * 6))
    guessed: set[str] = field(default_factory=set)

    @property
    def micro_usd(self) -> int:
        return sum(sums[-1] for sums in self.by_model.values())

    def add(self, call: Row) -> None:
        self.more(call["model"], [*(call[name] for name in TOKENS), call["cost_micro_usd"]], bool(call["estimated"]))

    def more(self, model: str, counts: list[int], guessed: bool) -> None:
        if any(counts):
            self.by_model[model] = [a + b for a, b in zip(self.by_model[model], counts, strict=True)]
        if guessed:
            self.guessed.add(model)

    def add_all(self, other: "Used") -> None:
        for model, counts in other.by_model.items():
            self.more(model, counts, model in other.guessed)

    def to_json(self) -> str | None:
        if not self.by_model:
            return None
        models = {
            model: ModelUsage(
                **dict(zip(TOKENS, counts, strict=False)), cost_micro_usd=counts[-1],
                cost_basis="estimated" if model in self.guessed else "metered",
            )
            for model, counts in self.by_model.items()
        }  # fmt: skip
        sums = (sum(counts[i] for counts in self.by_model.values()) for i in range(len(TOKENS)))
        return Usage(**dict(zip(TOKENS, sums, strict=True)), by_model=models).to_json().decode()


@dataclass
class Work:
    """An agent at work. `now_ms` goes on with each turn; `next_line` numbers the log of its task."""

    rng: Random
    prices: Prices
    task_id: str
    agent_id: str
    begun_ms: int
    next_line: int
    files: tuple[str, ...]
    now_ms: int = 0
    calls: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    used: Used = field(default_factory=Used)
    last_tool: str | None = None
    turns: int = 0
    context: int = 0

    def do(self, turns: int, model: str, helper: str) -> None:
        """So many turns by a model, of which some ask a smaller one."""
        self.now_ms = self.begun_ms
        self.say("system", "The repository is ready.")
        for turn in range(turns):
            self._think(model, last=turn == turns - 1)
            if turn < turns - 1:
                for _ in range(2 if self.rng.random() < 0.15 else 1):
                    self._use_tool(helper)

    def say(self, stream: str, text: str, data: Row | None = None) -> None:
        self.lines.append({
            "task_id": self.task_id, "seq": self.next_line, "agent_id": self.agent_id, "stream": stream, "text": text,
            "at_ms": self.now_ms, "elapsed_ms": self.now_ms - self.begun_ms,
            "data": to_json(data).decode() if data else None,
        })  # fmt: skip
        self.next_line += 1

    def _think(self, model: str, last: bool) -> None:
        rng = self.rng
        self.turns += 1
        if rng.random() < 0.012:
            self._call(model, Metered(), status=529, took=900)
            self.now_ms += 2_000
        new = int(rng.uniform(2_500, 9_000)) if self.context else int(rng.uniform(14_000, 24_000))
        output = min(3_000, int(rng.lognormvariate(6.9, 0.7)))
        at_first = 0 if self.context else new
        metered = Metered(rng.randint(3, 400), output, self.context, new - at_first, at_first)
        self.context = min(180_000, self.context + new + output)
        self._call(
            model, metered, took=int(1_200 + output * rng.uniform(9, 16)), stop="end_turn" if last else "tool_use"
        )
        if last or rng.random() < 0.35:
            self.say("agent", rng.choice(_SAID) * rng.randint(1, 3))

    def _use_tool(self, helper: str) -> None:
        rng = self.rng
        tool = self.last_tool = rng.choices(TOOLS, TOOLS_OFTEN)[0]
        use = f"toolu_{rng.getrandbits(96):024x}"
        about = rng.choice(COMMANDS) if tool == "Bash" else rng.choice(self.files)
        self.say("tool", f"{tool}: {about}", {"tool": tool, "input": {"about": about}, "toolUseId": use})
        if tool == "Task":
            self._call(helper, Metered(input=rng.randint(900, 4_000), output=rng.randint(150, 900)), took=4_000)
        slow = 8.3 if tool in ("Bash", "WebFetch") else 4.2
        self.now_ms += min(_SLOWEST_TOOL, int(rng.lognormvariate(slow, 0.9)))
        failed = rng.random() < FAILS.get(tool, 0)
        self.say("tool", _OUTPUT[: rng.randint(20, 900)], {"toolUseId": use, "isError": failed})

    def _call(self, model: str, metered: Metered, took: int, status: int = 200, stop: str = "end_turn") -> None:
        rng, day = self.rng, datetime.fromtimestamp(self.now_ms / 1000, UTC).date()
        cost = self.prices.cost(model, metered, day) if status == 200 else None
        amount = cost.micro_usd if cost else 0
        self.calls.append({
            "id": f"{rng.getrandbits(96):024x}", "agent_id": self.agent_id, "task_id": self.task_id,
            "asked_ms": self.now_ms, "model": model, "hold_micro_usd": 2 * amount, "ended_ms": self.now_ms + took,
            "status": status, "upstream_id": f"msg_{rng.getrandbits(96):024x}" if cost else None,
            **{name: getattr(metered, name) for name in TOKENS},
            "server_tools": None, "service_tier": "standard" if cost else None, "stop_reason": stop if cost else None,
            "first_ms": rng.randint(500, 1_200), "cost_micro_usd": amount,
            "estimated": cost.basis if cost and cost.estimated else None,
        })  # fmt: skip
        self.used.add(self.calls[-1])
        self.now_ms += took
