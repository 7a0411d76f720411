"""The notebooks themselves: they run from top to bottom, show pictures, and hold no data."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from hubs import ADMIN_KEY, HubProcess
from swarm_notebooks.connection import Swarm

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = ("costs", "operations", "compare")
STRICT = """import warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", category=PendingDeprecationWarning, module="ipykernel")  # of its own end
"""


def run(name: str, url: str, home: Path) -> Any:
    """The notebook after its cells ran in a kernel of its own, where warnings are errors."""
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    notebook.cells.insert(0, nbformat.v4.new_code_cell(STRICT))  # type: ignore[no-untyped-call]
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "SWARM_URL": url,
        "SWARM_API_KEY": ADMIN_KEY, "MPLCONFIGDIR": os.environ["MPLCONFIGDIR"], "PYTHONPATH": os.pathsep.join(sys.path),
    }  # fmt: skip
    client = NotebookClient(notebook, timeout=60, kernel_name="python3", store_widget_state=False)
    client.execute(env=environment)
    return notebook


def bundles(notebook: Any) -> list[dict[str, Any]]:
    """What the cells show that are panels."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error"] == []
    shown = [output.data for output in outputs if "data" in output]
    return [data for data in shown if "application/vnd.jupyter.widget-view+json" in data]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_shows_pictures(name: str, sampled: HubProcess, tmp_path: Path) -> None:
    """Each panel also holds a picture for viewers without a kernel; sample data has no conflicts."""
    panels = [data for data in bundles(run(name, sampled.url, tmp_path)) if "conflict" not in data["text/plain"]]
    assert len(panels) >= 2
    for data in panels:
        assert data["image/svg+xml"].startswith("<svg")
        assert data["image/png"]


def test_a_notebook_runs_on_an_empty_hub(empty: Swarm, tmp_path: Path) -> None:
    for data in bundles(run("costs", empty.url, tmp_path))[:2]:
        assert data["text/plain"] == "Nothing was spent in this time yet."


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_holds_nothing_of_a_run(path: Path) -> None:
    """No outputs, no counts, no name of a machine's kernel."""
    notebook = json.loads(path.read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
