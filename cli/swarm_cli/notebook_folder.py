"""The notebooks that come with this version, and the folder where a user's own copies are."""

import hashlib
import json
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from swarm_cli.faults import Fault

_NOTE = ".claude-swarm.json"  # which content was put there, by the notebook's name


def shipped() -> list[Path]:
    """The notebooks of this version, by name: inside the installed package, or beside it in a checkout."""
    spec = find_spec("swarm_notebooks")
    if spec is None or spec.origin is None:
        return []
    package = Path(spec.origin).parent
    return sorted((package / "notebooks").glob("*.ipynb")) or sorted(package.parent.glob("*.ipynb"))


def own_folder(environ: Mapping[str, str]) -> Path:
    """Where a user's copies are, when nothing else is said."""
    from platformdirs import user_documents_path

    documents = user_documents_path() if environ.get("HOME") or os.name == "nt" else Path.cwd()
    return documents / "claude-swarm"


def copy_notebooks(folder: Path) -> list[str]:
    """Put the notebooks into a folder. Those that its user changed stay; their names. Raises a `Fault`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        put = _read_note(folder)
        kept = [path.name for path in shipped() if not _copy(path, folder / path.name, put)]
        (folder / _NOTE).write_text(json.dumps(put, indent=1) + "\n")
    except OSError as error:
        raise Fault(f"the notebooks cannot be put into {folder}: {error.strerror}", hint="--folder FOLDER") from error
    return kept


def _copy(source: Path, target: Path, put: dict[str, str]) -> bool:
    """False where another one is kept. What was put there before, and not changed since, gives way."""
    content = source.read_bytes()
    there = target.read_bytes() if target.exists() else None
    if there not in (None, content) and _hash(there or b"") != put.get(source.name):
        return False
    if there != content:
        target.write_bytes(content)
    put[source.name] = _hash(content)
    return True


def _read_note(folder: Path) -> dict[str, str]:
    """Nothing where there is no note that can be read: then what is there counts as changed."""
    try:
        note = json.loads((folder / _NOTE).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): str(value) for name, value in note.items()} if isinstance(note, dict) else {}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
