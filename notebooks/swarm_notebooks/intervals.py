"""How sure a figure is, from the tasks behind it."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from swarm_notebooks.charts import Estimate

Z = 1.959964  # of 95 %
_DRAWS = 2_000
_SEED = 1  # the same tasks have the same interval
_MANY = 2_000  # from here on the mean is normal enough


def share(successes: int, n: int) -> Estimate | None:
    """A share and its 95 % interval (Wilson's, which is sound for few tasks, too); None of nothing."""
    if n == 0:
        return None
    rate, bulge = successes / n, Z * Z / n
    middle = (rate + bulge / 2) / (1 + bulge)
    half = Z * sqrt(rate * (1 - rate) / n + bulge / (4 * n)) / (1 + bulge)
    return Estimate(max(0.0, middle - half), rate, min(1.0, middle + half), n)


def mean(values: Sequence[float]) -> Estimate | None:
    """A mean and its 95 % interval, from drawing the same tasks again at random (bootstrap); None of nothing."""
    drawn = np.asarray(values, dtype="float64")
    if drawn.size == 0:
        return None
    middle = float(drawn.mean())
    if drawn.size >= _MANY:
        half = Z * float(drawn.std(ddof=1)) / sqrt(drawn.size)
        return Estimate(middle - half, middle, middle + half, int(drawn.size))
    picks = np.random.default_rng(_SEED).integers(0, drawn.size, (_DRAWS, drawn.size))
    low, high = np.quantile(drawn[picks].mean(axis=1), [0.025, 0.975])
    return Estimate(float(low), middle, float(high), int(drawn.size))


def sums_ahead(days: Sequence[float], steps: int) -> list[tuple[float, float, float]]:
    """What the next days may come to, each drawn from earlier ones: after each, the 10th, 50th and 90th of 100."""
    if steps == 0 or not len(days):
        return []
    picks = np.random.default_rng(_SEED).integers(0, len(days), (_DRAWS, steps))
    sums = np.asarray(days, dtype="float64")[picks].cumsum(axis=1)
    low, middle, high = np.quantile(sums, [0.1, 0.5, 0.9], axis=0)
    return list(zip(low.tolist(), middle.tolist(), high.tolist(), strict=True))
