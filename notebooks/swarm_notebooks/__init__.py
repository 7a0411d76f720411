"""Notebooks over a hub: `connect()`, questions as data frames, and controls over plots."""
