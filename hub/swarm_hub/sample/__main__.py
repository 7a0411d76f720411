"""`python -m swarm_hub.sample DATA_DIR`: a data folder with a made-up history, to start a hub on."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from swarm_hub.sample.history import Sample, write_sample


def main() -> int:
    """The exit code: 1 where the folder cannot be used."""
    given = _arguments()
    sample = Sample(given.until, given.tasks, given.days, given.seed, not given.without_logs)
    try:
        write_sample(given.data_dir, sample)
    except OSError as error:
        sys.stderr.write(f"claude-swarm sample: {error}\n")
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m swarm_hub.sample", description=__doc__)
    parser.add_argument("data_dir", type=Path, metavar="DATA_DIR", help="an absolute path; made where it is not there")
    parser.add_argument("--tasks", type=_number(1, 10_000_000), default=1_500, help="how many (1500)")
    parser.add_argument("--days", type=_number(1, 300), default=75, help="how long it goes back (75)")
    parser.add_argument("--seed", type=int, default=1, help="the same gives the same (1)")
    now = int(time.time() * 1000)
    parser.add_argument("--until", type=int, default=now, metavar="MS", help="its present, epoch ms (now)")
    parser.add_argument("--without-logs", action="store_true", help="no log lines: a fifth of the size")
    return parser.parse_args()


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")

    return parse


if __name__ == "__main__":
    sys.exit(main())
