"""Prices: a dated table, and what a request or a machine cost by it. Money is whole micro-dollars."""

from swarm_hub.prices.amounts import BadPrices
from swarm_hub.prices.bill import CacheWrites, Cost, Metered
from swarm_hub.prices.pricing import Prices

__all__ = ["BadPrices", "CacheWrites", "Cost", "Metered", "Prices"]
