"""An agent's two tokens, written down nowhere: one opens its worker's paths, the other the gateway to the model."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Literal

Kind = Literal["worker", "model"]
TTL = 24 * 60 * 60  # seconds; a hub may be away for a night, and its workers must still find their way back
# A runtime cannot be given another token while it works, for up to a week; what ends this one is the agent's end.
LIVES: dict[Kind, int] = {"worker": TTL, "model": 8 * TTL}
_TOKEN = re.compile(r"([a-z]+-agent-[0-9a-f]{8})\.([0-9]{1,12})\.([A-Za-z0-9_=-]{44})")


@dataclass(frozen=True)
class Opened:
    """`expires`: seconds since the epoch."""

    agent_id: str
    expires: int


class AgentTokens:
    """Tokens are derived from the hub's secret, the agent's id and their end: a restarted hub knows them again."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def issue(self, kind: Kind, agent_id: str, now: float) -> str:
        expires = int(now) + LIVES[kind]
        return f"{agent_id}.{expires}.{self._sign(kind, agent_id, expires)}"

    def open(self, kind: Kind, token: str, now: float) -> Opened | None:
        """None for what is no such token, or is over."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        agent_id, expires = match[1], int(match[2])
        if not hmac.compare_digest(match[3], self._sign(kind, agent_id, expires)) or now > expires:
            return None
        return Opened(agent_id, expires)

    def _sign(self, kind: Kind, agent_id: str, expires: int) -> str:
        said = f"{kind}:{agent_id}:{expires}".encode()
        return urlsafe_b64encode(hmac.digest(self._secret, said, hashlib.sha256)).decode()
