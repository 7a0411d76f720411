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
        """With the secret kept at `path`, made on first use: whole or not at all, for its owner alone."""
        if not path.exists():
            draft = path.with_suffix(".new")
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(32))
                file.flush()
                os.fsync(descriptor)
            draft.replace(path)
        return cls(path.read_bytes())

    def issue(self, agent_id: str) -> str:
        return urlsafe_b64encode(hmac.digest(self._secret, f"worker:{agent_id}".encode(), hashlib.sha256)).decode()

    def opens(self, token: str, agent_id: str) -> bool:
        return hmac.compare_digest(token.encode(), self.issue(agent_id).encode())
