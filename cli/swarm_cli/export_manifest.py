"""What an export says about itself."""

import json
from pathlib import Path
from typing import Any

from swarm_cli import look
from swarm_cli.export_pages import Days

MANIFEST = "manifest.json"
MARK = "claudeSwarmExport"
_VERSION = 1


def manifest(url: str, version: str, time_zone: str, days: Days) -> dict[str, Any]:
    """Where it came from, when, and of which days; none: all."""
    return {
        MARK: _VERSION, "hub": {"url": url, "version": version}, "madeAt": f"{look.now():%Y-%m-%dT%H:%M:%SZ}",
        "timeZone": time_zone, "since": _text(days.since), "until": _text(days.until),
    }  # fmt: skip


def save(folder: Path, said: dict[str, Any]) -> None:
    text = json.dumps(said, ensure_ascii=False, indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _text(day: object) -> str | None:
    return str(day) if day else None
