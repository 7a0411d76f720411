"""What each credential looks like. What is refused is never shown, and neither is any part of it."""

import re
from typing import NamedTuple

from swarm_api.credentials.errors import CredentialError
from swarm_api.ids import API_KEY

LONGEST = 8192
"""Characters. Fly's tokens grow with every restriction put on them, to a few thousand."""


class Shape(NamedTuple):
    pattern: re.Pattern[str]
    told: str


# Lengths are the least that is plausible: an issuer may lengthen its tokens, a placeholder is always short.
_FLY_MACAROON = r"fm(?:1r|1a|2)_[A-Za-z0-9+/_=-]{16,}"
SHAPES = {
    "anthropic-api-key": Shape(
        re.compile(r"sk-ant-(?!oat|admin)[A-Za-z0-9_-]{16,249}"),
        "a key of the Anthropic API begins with sk-ant-api03-; one of a subscription (sk-ant-oat…) or an admin key does"
        " not serve",
    ),
    "fly-api-token": Shape(
        re.compile(rf"(?:FlyV1 )?(?:fo1_[A-Za-z0-9_-]{{16,}}|{_FLY_MACAROON}(?:,{_FLY_MACAROON})*)"),
        "a token of Fly begins with FlyV1, fm2_ or fo1_; `fly tokens create deploy` makes one",
    ),
    "github-token": Shape(
        re.compile(r"gh[opsu]_[A-Za-z0-9._-]{20,}|github_pat_[A-Za-z0-9_]{20,}"),
        "a token of GitHub begins with github_pat_, ghp_, gho_, ghs_ or ghu_; `gh auth token` shows yours",
    ),
    "orchestrator-jwt": Shape(
        re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"),
        "a JWT is three parts with dots between them and begins with eyJ; `swarm login` gets one",
    ),
    "swarm-api-key": Shape(
        API_KEY, "a key of the hub looks like sk_swarm_<id>_<secret>; `swarm keys create` makes one"
    ),
}


def check(name: str, value: str) -> None:
    """Refuse what cannot be this credential. Raises `CredentialError`, which holds nothing of the value."""
    fault = _fault(name, value)
    if fault:
        raise CredentialError(f"{name}: {fault}")


def _fault(name: str, value: str) -> str | None:
    if not value:
        return "it is empty"
    if len(value) > LONGEST:
        return f"it has {len(value)} characters; {LONGEST} are allowed"
    if not (value.isascii() and value.isprintable()):
        return "it holds a line break, a control character or one that is not ASCII; copy it again"
    if value != value.strip():
        return "it has blanks around it; copy it again"
    return None if SHAPES[name].pattern.fullmatch(value) else f"it has the wrong form: {SHAPES[name].told}"
