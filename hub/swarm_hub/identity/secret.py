"""A secret of the hub's own, in a file of the data folder."""

import os
import secrets
from pathlib import Path


def load_secret(path: Path) -> bytes:
    """The 32 bytes kept at `path`, drawn on first use: written whole or not at all, for their owner alone."""
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
    return path.read_bytes()
