"""Notebooks over a hub: `connect()`, questions as data frames, and controls over plots."""

from swarm_notebooks.connection import Swarm, connect

__all__ = ["Swarm", "connect"]
