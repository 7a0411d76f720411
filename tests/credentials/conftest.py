"""A home of the test's own, on a machine with an id and without a keyring."""

import sys
import uuid
from pathlib import Path

import pytest

from swarm_api.credentials import Credentials, machine


@pytest.fixture(autouse=True)
def machine_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this machine's id stands: whether the real one has an id is not what is tested."""
    path = tmp_path / "machine-id"
    path.write_text(uuid.uuid4().hex + "\n")
    monkeypatch.setattr(machine, "LINUX_FILES", (path,))
    return path


# On Linux a keyring is found by a variable that is not set here; elsewhere it would be the user's own.
NO_KEYRING = {} if sys.platform == "linux" else {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), **NO_KEYRING}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of config.json and the two files, made as it should be."""
    path = tmp_path / "home" / ".config" / "claude-swarm"
    path.mkdir(mode=0o700, parents=True)
    return path


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def credentials(environ: dict[str, str], warnings: list[str]) -> Credentials:
    return Credentials(environ, warnings.append)
