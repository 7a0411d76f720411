"""Where the projection lies in its folder. All of it may be deleted at any time, also while nobody looks."""

from pathlib import Path

DATABASE = "swarm.duckdb"
ANSWERS = "answers"
SPILL = "spill"


def discard(folder: Path) -> None:
    """Throw the projection away: it is made again from the hub's database."""
    for name in (DATABASE, f"{DATABASE}.wal"):
        (folder / name).unlink(missing_ok=True)
