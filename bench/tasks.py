"""What the measurements submit: the same on every run."""

import json
import random
from collections.abc import Iterator
from typing import Any

from bench.load import request

WORDS = ("add", "remove", "rename", "test", "document", "parse", "cache", "retry", "index", "queue", "token", "branch")


def prompts(seed: int) -> Iterator[str]:
    """About 300 characters each."""
    draw = random.Random(seed)  # noqa: S311  # the same prompts every time
    while True:
        yield " ".join(draw.choices(WORDS, k=50))


def held(seed: int) -> Iterator[bytes]:
    """Submissions of single tasks that wait for `execute`: nothing but storing them is measured."""
    for prompt in prompts(seed):
        yield request("POST", "/api/tasks", json.dumps({"prompt": prompt, "hold": True}).encode())


def batch(count: int, seed: int, **fields: Any) -> bytes:
    tasks = [{"prompt": prompt, **fields} for prompt, _ in zip(prompts(seed), range(count), strict=False)]
    return request("POST", "/api/tasks", json.dumps({"tasks": tasks}).encode())


SHORT = {"simulate.seconds": "0"}
"""Labels of a simulated task that ends as soon as it can."""


WAITING = {"prompt": '[{"sleep": 600}]'}
"""Fields of a scripted task that runs until it is stopped."""


def simulated(seed: int) -> bytes:
    """The submission of one simulated task that ends as soon as it can."""
    return request("POST", "/api/tasks", json.dumps({"prompt": next(prompts(seed)), "labels": SHORT}).encode())
