"""What a hub at rest takes."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from bench.hub import running

REST = 3.0


def measure(folder: Path) -> Iterator[Figure]:
    with running(folder) as hub:
        time.sleep(REST)
        yield Figure("hub at rest, RSS", hub.process.memory_info().rss / 2**20, "MiB", at_most=130)
        if sys.platform == "linux" and os.geteuid() == 0:  # the hub lets nobody else look
            yield Figure("hub at rest, PSS", hub.process.memory_full_info().pss / 2**20, "MiB")
        cpu = hub.cpu_seconds
        time.sleep(REST)
        yield Figure("hub at rest, CPU", (hub.cpu_seconds - cpu) / REST * 100, "%")
