"""How long the daily commands take, from the shell's point of view."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.figures import Figure
from bench.hub import BIN, environment, running
from bench.load import Connection
from bench.tasks import batch

RUNS = 20


def measure(folder: Path) -> Iterator[Figure]:
    with running(folder) as hub:
        answer = Connection(hub.address).exchange(batch(20, 3, hold=True))
        task_id = json.loads(answer.body)["tasks"][0]["id"]
        env = {**environment(folder), "SWARM_URL": hub.url}
        yield Figure("swarm status", _median(["status"], env), "ms", at_most=60)
        yield Figure("swarm status ID", _median(["status", task_id], env), "ms", at_most=60)
        yield Figure("swarm --help", _median(["--help"], env), "ms", at_most=150)


def _median(arguments: list[str], env: dict[str, str]) -> float:
    return median(_milliseconds([str(BIN / "swarm"), *arguments], env) for _ in range(RUNS))


def _milliseconds(command: list[str], env: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000
