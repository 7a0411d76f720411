"""Files that are there whole, or stay as they were."""

import os
import tempfile
from pathlib import Path


def write_whole(file: Path, content: bytes, mode: int) -> None:
    """Write it beside the file, and put it in its place; through a link, to where it leads. Raises `OSError`."""
    target = file.resolve()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    made = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as new:
            new.write(content)
        made.chmod(mode)
        made.replace(target)
    finally:
        made.unlink(missing_ok=True)
