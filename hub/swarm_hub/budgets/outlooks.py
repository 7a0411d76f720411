"""The outlook, drawn once for many who look at it."""

from typing import NamedTuple

from swarm_hub.budgets.budgets import Budgets
from swarm_hub.budgets.outlook import Outlook
from swarm_hub.store.store import Store
from swarm_hub.store.transaction import Notices, Reads


class _Drawn(NamedTuple):
    outlook: Outlook
    from_ms: int


class Outlooks:
    """For whoever shows tasks: a submission is answered in the time that drawing it would take."""

    def __init__(self, store: Store, budgets: Budgets) -> None:
        self._budgets = budgets
        self._drawn: _Drawn | None = None
        self._changes = 0
        store.listen(self._hear)

    def at(self, reads: Reads, now_ms: int) -> Outlook:
        """As it is, but for what the same commit changes. Called from any thread."""
        known, changes = self._drawn, self._changes
        if known is not None and known.from_ms <= now_ms < known.outlook.holds_until:
            return known.outlook
        outlook = self._budgets.outlook(reads, now_ms)
        if changes == self._changes:
            self._drawn = _Drawn(outlook, now_ms)
        return outlook

    def _hear(self, notices: Notices) -> None:
        if notices.money:
            self._changes += 1
            self._drawn = None
