"""Tasks whose agents follow a script."""

import json
from pathlib import Path
from typing import Any


def script(*steps: dict[str, Any]) -> str:
    return json.dumps(steps)


def task(repo: Path | str | None, *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    where = {"repo": str(repo)} if repo else {}
    return {"name": "say hello", "prompt": script(*steps), **where, **fields}
