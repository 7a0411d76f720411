"""Budgets: limits on what is spent, and what is set aside for agents so that nothing passes them."""
