"""A made-up history of a hub, to look at and to measure with: plausible, and the same for the same seed."""
