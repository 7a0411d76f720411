"""Budgets for tests that are about something else: nothing in them is ever short."""

from zoneinfo import ZoneInfo

from swarm_hub.budgets.budgets import Budgets
from swarm_hub.budgets.limits import Limits
from swarm_hub.intake import Defaults
from swarm_hub.prices import Prices

PLENTY = 100_000_000  # cents
RICH = Budgets(ZoneInfo("UTC"), Limits(PLENTY, PLENTY))
DEFAULTS = Defaults(timeout_minutes=60, budget_cents=500_000)
PRICES = Prices.load()
