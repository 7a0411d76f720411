"""A secret of the hub's own, in a file of the data folder."""

import os
import secrets
from pathlib import Path

LENGTH = 32  # bytes


def load_secret(path: Path) -> bytes:
    """The bytes kept at `path`, drawn on first use: written whole or not at all, for their owner alone.

    Raises `OSError` when there are more or fewer of them: with an empty secret anybody could sign.
    """
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(LENGTH))
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
    secret = path.read_bytes()
    if len(secret) != LENGTH:
        raise OSError(f"{path} holds {len(secret)} bytes instead of {LENGTH}; without it the hub makes another")
    return secret
