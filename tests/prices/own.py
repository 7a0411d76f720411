"""Price tables of a user's own."""

from pathlib import Path

from swarm_hub.prices import Prices

HEAD = """\
schema = 1
date = 2026-12-01
source = "our contract"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text)
    return path


def own_prices(folder: Path, text: str) -> Prices:
    """The shipped table under one that says this besides its head."""
    return Prices.load(written(folder, HEAD + text))
