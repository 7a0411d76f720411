"""`swarm_api ← executors, mcp_server ← hub` and `swarm_api ← worker, cli, notebooks`; nobody imports the hub."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from frame.tree import ROOT

RUFF = Path(sys.executable).with_name("ruff")
PACKAGES = {"api": "swarm_api", "cli": "swarm_cli", "executors": "swarm_executors", "hub": "swarm_hub",
            "mcp_server": "swarm_mcp", "notebooks": "swarm_notebooks", "worker": "swarm_worker"}  # fmt: skip
MAY_IMPORT = {"api": (), "cli": ("api",), "executors": ("api",), "hub": ("api", "executors", "mcp_server"),
              "mcp_server": ("api",), "notebooks": ("api",), "worker": ("api",)}  # fmt: skip
OTHERS = [(folder, other) for folder in PACKAGES for other in PACKAGES if folder != other]


def caught(tmp_path: Path, probes: dict[str, str]) -> set[str]:
    """The probes, by path, in which ruff finds a banned import."""
    for config in [ROOT / "pyproject.toml", *(ROOT / folder / "ruff.toml" for folder in PACKAGES)]:
        copy = tmp_path / config.relative_to(ROOT)
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(config, copy)
    for path, code in probes.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(code)
    command = [str(RUFF), "check", "--no-cache", "--select", "TID251", "--exit-zero", "--output-format", "json", "."]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True)
    return {str(Path(hit["filename"]).relative_to(tmp_path)) for hit in json.loads(found.stdout)}


@pytest.mark.parametrize("form", ["import {}", "import {}.main", "from {} import main", "from {}.main import main"])
def test_lint_catches_exactly_the_forbidden_imports(tmp_path: Path, form: str) -> None:
    probes = {
        f"{folder}/{PACKAGES[folder]}/to_{other}.py": form.format(PACKAGES[other]) + "\n" for folder, other in OTHERS
    }
    forbidden = {
        f"{folder}/{PACKAGES[folder]}/to_{other}.py"
        for folder, other in OTHERS
        if other not in MAY_IMPORT[folder]
    }  # fmt: skip
    assert caught(tmp_path, probes) == forbidden


def test_the_hub_knows_executors_only_by_their_protocol(tmp_path: Path) -> None:
    modules = {path.stem for path in (ROOT / "executors" / "swarm_executors").glob("*.py")} - {"__init__"}
    probes = {f"hub/swarm_hub/to_{name}.py": f"from swarm_executors.{name} import x\n" for name in modules}
    assert caught(tmp_path, probes) == set(probes) - {"hub/swarm_hub/to_protocol.py"}


def test_every_folder_with_a_package_has_a_rule() -> None:
    folders = {path.parent.parent.name for path in ROOT.glob("*/swarm_*/__init__.py")}
    assert folders == set(PACKAGES)
