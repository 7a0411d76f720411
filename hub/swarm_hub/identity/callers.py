"""A caller: whoever a request's credential stands for."""

from dataclasses import dataclass
from typing import Literal, get_args

from swarm_api.words import Scope

Permission = Literal[
    "open",
    "user",
    "worker",
    "model",
    "git:read",
    "git:write",
    "tasks:read",
    "tasks:write",
    "agents:read",
    "metrics:read",
    "admin",
]
"""What a route asks for: a scope, any user, an agent's own token of either kind, a worker's token or
the scope of the same name for tasks (`git:read`, `git:write`), or nothing."""
PERMISSIONS: frozenset[str] = frozenset(get_args(Permission))
SCOPES: tuple[Scope, ...] = get_args(Scope)
ADMIN: Scope = "admin"
LOCAL = "local"
"""The user on whose machine the hub runs, known by the token in the hub's own runtime file."""


@dataclass(frozen=True)
class Caller:
    """`id`: an API key's (`key_…`), `local`, or an agent's. `expires`: seconds since the epoch."""

    id: str
    scopes: frozenset[str] = frozenset()
    expires: float | None = None
    jti: str | None = None
    root: str | None = None  # the token that this one was first refreshed from
    device: str | None = None

    def may(self, scope: str) -> bool:
        """`admin` opens everything."""
        return scope in self.scopes or ADMIN in self.scopes


ANYBODY = Caller("anybody")
