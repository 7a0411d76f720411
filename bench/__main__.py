"""`make bench`: JSON on stdout, a table on stderr. Arguments pick measurements by name."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import (
    analytics,
    authentication,
    batch,
    command_line,
    dispatch,
    elsewhere,
    followers,
    gateway,
    log_lines,
    mcp,
    memory,
    restart,
    scheduler,
    submissions,
    throughput,
)
from bench.figures import Figure, row, to_json

BUSY = 0.5

MEASUREMENTS: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "submissions": submissions.measure,
    "batch": batch.measure,
    "authentication": authentication.measure,
    "dispatch": dispatch.measure,
    "scheduler": scheduler.measure,
    "elsewhere": elsewhere.measure,
    "throughput": throughput.measure,
    "followers": followers.measure,
    "gateway": gateway.measure,
    "log_lines": log_lines.measure,
    "mcp": mcp.measure,
    "command_line": command_line.measure,
    "memory": memory.measure,
    "restart": restart.measure,
    "analytics_tenth": analytics.measure_tenth,
    "analytics": analytics.measure,
}


def main(wanted: list[str]) -> int:
    if unknown := set(wanted) - set(MEASUREMENTS):
        sys.stderr.write(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}\n")
        return 2
    begin, load = time.monotonic(), os.getloadavg()[0]
    if load > BUSY:
        sys.stderr.write(f"others use this machine too (load {load:.1f}): what follows is worse than it could be\n")
    figures = [figure for name in wanted or MEASUREMENTS for figure in _measure(name)]
    sys.stdout.write(json.dumps(to_json(figures, time.monotonic() - begin, load), indent=2) + "\n")
    return 0


def _measure(name: str) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="swarm-bench-") as folder:
        for figure in MEASUREMENTS[name](Path(folder).resolve()):
            sys.stderr.write(row(figure) + "\n")
            yield figure


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
