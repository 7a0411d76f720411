"""The hub as a git remote: the repositories it keeps for agents elsewhere, and how they are reached."""
