"""What may be set aside for the tasks that stand in line, in the order in which they ask."""

from collections.abc import Collection, Sequence

from swarm_hub.budgets.lines import Line

NO_LIMIT = 2**62  # micro-dollars


class Purse:
    """Of one look at the line of tasks.

    A task that only waits for running agents to give back what they do not need keeps its place: whoever stands
    behind it gets nothing of the limit that it waits for, or large tasks would starve. One that has no room before
    the day or the week ends is passed over.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self._left = [line.left for line in lines]

    @property
    def shut(self) -> bool:
        """Whether there is nothing left for anybody."""
        return any(left <= 0 for line, left in zip(self.lines, self._left, strict=True) if not line.label)

    @property
    def shut_labels(self) -> list[str]:
        """Labels whose tasks need not ask any more."""
        return [line.label for line, left in zip(self.lines, self._left, strict=True) if line.label and left <= 0]

    def take(self, need: int, labels: Collection[str]) -> bool:
        """Set aside what a task needs; False when there is no room for it."""
        if need == 0:
            return True
        mine = [i for i, line in enumerate(self.lines) if not line.label or line.label in labels]
        short = [i for i in mine if need > self._left[i]]
        if not short:
            for i in mine:
                self._left[i] -= need
            return True
        if all(need <= self.lines[i].most for i in mine):
            for i in short:
                self._left[i] = 0
        return False
