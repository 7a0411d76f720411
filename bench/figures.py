"""A measured figure, its aim, and how both are shown."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from swarm_api import __version__


@dataclass(frozen=True)
class Figure:
    """`at_least` or `at_most` is the aim on two cores; neither, where there is none."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def aim(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:,g}"
        return "" if self.at_most is None else f"≤ {self.at_most:,g}"

    @property
    def met(self) -> bool | None:
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most


def percentile(values: Iterable[float], percent: float) -> float:
    """The nearest-rank percentile of at least one value."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def to_json(figures: Sequence[Figure], seconds: float, load: float) -> dict[str, Any]:
    """`load` is what others gave the machine to do when the measuring began."""
    return {
        "version": __version__,
        "machine": {"cpus": os.cpu_count(), "platform": platform.platform(), "python": platform.python_version()},
        "loadBefore": round(load, 2),
        "seconds": round(seconds, 1),
        "figures": {
            figure.name: {
                "value": round(figure.value, 3),
                "unit": figure.unit,
                "atLeast": figure.at_least,
                "atMost": figure.at_most,
                "met": figure.met,
            }
            for figure in figures
        },
    }


def row(figure: Figure) -> str:
    mark = {True: "met", False: "MISSED", None: ""}[figure.met]
    return f"{figure.name:<44} {figure.value:>12,.1f} {figure.unit:<10} {figure.aim:<10} {mark}".rstrip()
