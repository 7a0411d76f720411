"""Submissions: one task, several that wait for each other, or two that do the same work to be compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from swarm_api.tasks import TaskIn
from swarm_hub.sample.subjects import (
    ALIASES,
    ALIASES_OFTEN,
    BEFORE,
    OFTEN,
    PLACES,
    SINCE,
    SIZE,
    SKILL,
    THINGS,
    TYPES,
    TYPES_OFTEN,
    VERBS,
    Place,
)

PATIENT = 2  # attempts that crashes may cost
SHORT_TIMEOUT = 20  # minutes
_FAILURES = ("agent_failed", "verify_failed", "max_turns", "api_error", "budget_exceeded", "timeout", "cancelled")
_FAILURES_OFTEN = (28, 22, 8, 6, 12, 12, 12)
_CRASHES = ("worker_lost", "runtime_crashed", "out_of_memory")


@dataclass(frozen=True)
class Wish:
    """A task as it is asked for, and how it goes. `ends`: how each attempt does; `size`: how much there is to do."""

    spec: TaskIn
    place: Place
    family: str
    ends: tuple[str, ...]
    size: float


def submission(rng: Random, at: float) -> list[Wish]:
    """At `at` of the whole time, from 0 to 1. Each but the first of several may depend on the one before it."""
    drawn = rng.random()
    if drawn < 0.12:
        return _chain(rng, at)
    return _pair(rng, at) if drawn < 0.25 else [single(rng, at)]


def single(rng: Random, at: float) -> Wish:
    family, (type_,) = rng.choices(ALIASES, ALIASES_OFTEN)[0], rng.choices(TYPES, TYPES_OFTEN)
    return _wish(rng, at, family, {"type": type_}, _ends(rng, SKILL[family]))


def plain(rng: Random, at: float) -> Wish:
    """One that is soon done, for when there is not much time left."""
    return _wish(rng, at, "sonnet", {"type": "docs"}, ("success",), size=0.2)


def held(rng: Random) -> list[Wish]:
    """Two of which one waits for the other, and that for its user."""
    first, second = (_wish(rng, 1.0, "sonnet", {"type": "code", "name": name}, ()) for name in ("plan", "build"))
    return [
        _with(first, hold=True, labels={**first.spec.labels, "stage": "plan"}),
        _with(second, depends_on=["plan"], labels={**second.spec.labels, "stage": "build"}),
    ]


def _chain(rng: Random, at: float) -> list[Wish]:
    place = rng.choices(PLACES, OFTEN)[0]
    stages: list[dict[str, Any]] = [
        {"type": "code", "name": "build"},
        {"type": "test", "name": "prove", "depends_on": ["build"]},
        {"type": "review", "name": "review", "depends_on": ["prove"]},
    ]
    family = rng.choices(ALIASES, ALIASES_OFTEN)[0]
    return [
        _wish(rng, at, family, stage, _first_end(rng, SKILL[family]), place) for stage in stages[: rng.randint(2, 3)]
    ]


def _pair(rng: Random, at: float) -> list[Wish]:
    """The same work twice: by two models, or with two prompts of which `b` says more and needs fewer turns."""
    place, (type_,), size = rng.choices(PLACES, OFTEN)[0], rng.choices(TYPES, TYPES_OFTEN), rng.lognormvariate(0, 0.4)
    work = {"work": f"{place.team}-{rng.getrandbits(24):06x}"}
    prompt = _prompt(rng, type_)
    pair = []
    by_model = rng.random() < 0.5
    for variant, family, easier in (("a", "sonnet", 1.0), ("b", "opus" if by_model else "sonnet", 0.8)):
        experiment = "models" if by_model else "prompts"
        fields = {
            "type": type_,
            "model": family,
            "prompt": prompt + (" Read the tests first." if variant == "b" else ""),
        }
        skill = min(0.97, SKILL[family] + (0.05 if variant == "b" else 0))
        wish = _wish(rng, at, family, fields, _first_end(rng, skill), place, size * (1 if by_model else easier))
        labels = {**wish.spec.labels, **work, "experiment": experiment, "variant": variant}
        pair.append(_with(wish, labels=labels))
    return pair


def _wish(
    rng: Random, at: float, family: str, fields: dict[str, Any], ends: tuple[str, ...], place: Place | None = None,
    size: float | None = None,
) -> Wish:  # fmt: skip
    place = place or rng.choices(PLACES, OFTEN)[0]
    prompt = fields.get("prompt") or _prompt(rng, fields["type"])
    spec = TaskIn.model_validate({
        "prompt": prompt,
        "name": "-".join(prompt.partition(".")[0].lower().split()),
        "model": model_at(rng, at, family) if rng.random() < 0.3 else family,
        "priority": rng.choices(("normal", "high", "low"), (78, 13, 9))[0],
        "repo": place.repo,
        "labels": {"team": place.team},
        "max_attempts": PATIENT,
        **({"timeout_minutes": SHORT_TIMEOUT} if "timeout" in ends else {}),
        **fields,
    })  # fmt: skip
    return Wish(spec, place, family, ends, (size or rng.lognormvariate(0, 0.5)) * SIZE[spec.type])


def _with(wish: Wish, **fields: Any) -> Wish:
    return Wish(wish.spec.model_copy(update=fields), wish.place, wish.family, wish.ends, wish.size)


def _prompt(rng: Random, type_: Any) -> str:
    return f"{rng.choice(VERBS[type_])} {rng.choice(THINGS)}."


def model_at(rng: Random, at: float, family: str) -> str:
    """The model behind a name: in the middle of the time the newer ones take over, within about a week."""
    newer = min(1.0, max(0.0, (at - 0.47) / 0.1))
    return (SINCE if rng.random() < newer else BEFORE)[family]


def _ends(rng: Random, skill: float) -> tuple[str, ...]:
    drawn = rng.random()
    if drawn < skill:
        return (rng.choice(_CRASHES), "success") if rng.random() < 0.04 else ("success",)
    failure = rng.choices(_FAILURES, _FAILURES_OFTEN)[0]
    by_hand = failure != "budget_exceeded" and rng.random() < 0.35
    return (failure, "success") if by_hand else (failure,)


def _first_end(rng: Random, skill: float) -> tuple[str, ...]:
    """Without what somebody asks for later."""
    ends = _ends(rng, skill)
    return ends if ends[0] in _CRASHES else ends[:1]


def retried_by_hub(ends: Sequence[str], attempt: int) -> bool:
    return ends[attempt] in _CRASHES
