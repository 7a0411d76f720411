"""`swarm notebook`: one command from nothing to charts, and nothing of it is left."""

import hashlib
import json
import signal
from pathlib import Path

import httpx
import pytest

from cli.program import LIMIT, Swarm
from notebooks.lab import lab, left
from swarm_cli.notebook_folder import copy_notebooks
from waiting import until

SHIPPED = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def swarm(tmp_path: Path) -> Swarm:
    return Swarm(tmp_path)


def test_a_sample_has_a_hub_of_its_own_and_nothing_is_left_of_it(swarm: Swarm) -> None:
    mine = {"SWARM_URL": "http://127.0.0.1:9", "SWARM_API_KEY": "sk_swarm_ofmyown_" + "k" * 43}
    with lab(swarm, "--sample", **mine) as shown:
        status = httpx.get(f"{shown.url}/api/status", params={"token": shown.token}, trust_env=False)
        there = httpx.get(f"{shown.url}/api/contents", params={"token": shown.token}, trust_env=False).json()
        assert status.status_code == 200
        assert httpx.get(f"{shown.url}/api/contents", trust_env=False).status_code == 403
        assert httpx.get(f"{shown.hub}/health", trust_env=False).status_code == 200
        assert {path.name for path in SHIPPED.glob("*.ipynb")} <= {each["name"] for each in there["content"]}
        assert shown.end(signal.SIGINT) == 130
    assert list((swarm.folder / "tmp").iterdir()) == []
    assert not (swarm.folder / "data").exists()
    assert left(swarm.folder) == []


def test_the_kernels_know_the_hub_that_the_command_was_given_and_end_with_it(swarm: Swarm) -> None:
    folder = swarm.folder / "books"
    with lab(swarm, "--folder", str(folder), "--url", "http://127.0.0.1:9") as shown:
        (found,) = [process for process in left(swarm.folder) if "jupyterlab" in process]
        environ = Path(f"/proc/{found.split()[0]}/environ").read_bytes().split(b"\0")
        assert b"SWARM_URL=http://127.0.0.1:9" in environ
        kernel = httpx.post(f"{shown.url}/api/kernels", params={"token": shown.token}, trust_env=False)
        assert kernel.status_code == 201, kernel.text
        assert shown.end(signal.SIGTERM) == 130
    assert (folder / "live.ipynb").exists()
    assert left(swarm.folder) == []


async def test_an_end_while_the_hub_starts_leaves_nothing_either(swarm: Swarm) -> None:
    (swarm.folder / "tmp").mkdir()
    process = swarm.start("notebook", "--sample", "--no-browser", TMPDIR=str(swarm.folder / "tmp"))
    await until(lambda: any("swarm-hub" in command for command in left(swarm.folder)))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    assert list((swarm.folder / "tmp").iterdir()) == []
    assert left(swarm.folder) == []


def test_what_its_user_changed_is_kept_and_said(swarm: Swarm) -> None:
    folder = swarm.folder / "books"
    folder.mkdir()
    (folder / "live.ipynb").write_text("mine")
    with lab(swarm, "--folder", str(folder)) as shown:
        assert "live.ipynb is as you changed it" in shown.text
    assert (folder / "live.ipynb").read_text() == "mine"


def test_a_newer_version_takes_the_place_of_what_nobody_changed(swarm: Swarm) -> None:
    """As an older version left it: its content, and the note of what that was."""
    folder = swarm.folder / "books"
    folder.mkdir()
    (folder / "live.ipynb").write_text("older")
    (folder / ".claude-swarm.json").write_text(json.dumps({"live.ipynb": hashlib.sha256(b"older").hexdigest()}))
    assert copy_notebooks(folder) == []
    assert (folder / "live.ipynb").read_bytes() == (SHIPPED / "live.ipynb").read_bytes()


def test_a_notebook_that_there_is_not_is_refused_with_those_there_are(swarm: Swarm) -> None:
    run = swarm("notebook", "poems")
    assert run.returncode == 2
    assert "there is no notebook 'poems'; there are" in run.stderr
    assert "live" in run.stderr


def test_without_jupyter_it_says_what_to_install(swarm: Swarm) -> None:
    """A Python that finds no `jupyterlab`."""
    hide = swarm.folder / "hide"
    hide.mkdir()
    (hide / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, package=None: None if name == 'jupyterlab' else find(name, package)\n"
    )
    run = swarm("notebook", PYTHONPATH=str(hide))
    assert run.returncode == 1
    assert "pip install 'claude-swarm[notebooks]'" in run.stderr
