"""Worker tokens: each opens one agent's own paths and nothing else, and is written down nowhere."""

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path


class Tokens:
    """Tokens are derived from the hub's secret and the agent's id, so that a restarted hub gives the same again."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def load(cls, path: Path) -> "Tokens":
        """With the secret kept at `path`, made on first use with mode 0600."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(path.read_bytes())
        with os.fdopen(descriptor, "wb") as file:
            secret = secrets.token_bytes(32)
            file.write(secret)
        return cls(secret)

    def issue(self, agent_id: str) -> str:
        return urlsafe_b64encode(hmac.digest(self._secret, f"worker:{agent_id}".encode(), hashlib.sha256)).decode()

    def opens(self, token: str, agent_id: str) -> bool:
        return hmac.compare_digest(token.encode(), self.issue(agent_id).encode())
