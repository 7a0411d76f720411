"""`swarm notebook`: JupyterLab with the notebooks, on this machine alone, until Ctrl-C."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from swarm_cli.faults import Fault, wrong_usage
from swarm_cli.notebook_folder import copy_notebooks, own_folder, shipped
from swarm_cli.notebook_sample import sample_hub
from swarm_cli.options import Url
from swarm_cli.screen import safe, write

_END_SECONDS = 20.0
_NEEDED = ("jupyterlab", "ipywidgets", "pandas", "matplotlib", "swarm_notebooks")


def notebook(
    name: Annotated[str | None, typer.Argument(help="The one to open: costs, operations, compare, live.")] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="On a made-up history, which is removed at the end.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Where the notebooks are put; else claude-swarm in your documents.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in a browser.")] = True,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Else the first free one from 8888 on.")] = None,
    allow_root: Annotated[bool, typer.Option("--allow-root", help="Also as root, which JupyterLab refuses.")] = False,
    url: Url = None,
) -> None:
    """JupyterLab with the notebooks, until Ctrl-C. Notebooks that you changed stay as they are."""
    _check(name, sample, url)
    for end in (signal.SIGTERM, signal.SIGHUP):  # a window that is closed ends it, too
        signal.signal(end, lambda *_: signal.raise_signal(signal.SIGINT))
    environ = {**os.environ, **({"SWARM_URL": url} if url else {})}
    with sample_hub(environ) if sample else nullcontext((environ, own_folder(environ))) as (settings, default):
        where = (folder or default).expanduser().absolute()
        for kept in copy_notebooks(where):
            write(f"{safe(kept)} is as you changed it; the one that comes with this version is not put in its place")
        options = {
            "ServerApp.open_browser": str(browser),
            "ServerApp.allow_root": str(allow_root),
            **({"ServerApp.port": str(port), "ServerApp.port_retries": "0"} if port else {}),
        }
        code = _run(_command(where, name, options), settings, where)
    raise typer.Exit(code)


def _check(name: str | None, sample: bool, url: str | None) -> None:
    """Raises a `Fault` for what cannot be opened."""
    if any(find_spec(module) is None for module in _NEEDED):
        raise Fault("the notebooks are not installed here", hint="pip install 'claude-swarm[notebooks]'")
    known = [path.stem for path in shipped()]
    if name is not None and name.removesuffix(".ipynb") not in known:
        raise wrong_usage(f"there is no notebook {name!r}; there are {', '.join(known)}", "swarm notebook --help")
    if sample and url:
        raise wrong_usage("--sample has a hub of its own: leave out --url", "swarm notebook --help")


def _command(folder: Path, name: str | None, options: Mapping[str, str]) -> list[str]:
    """It asks nobody on the network for news or updates."""
    opened = f"/lab/tree/{name.removesuffix('.ipynb')}.ipynb" if name else "/lab"
    settings = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.root_dir": str(folder),
        "LabApp.default_url": opened,
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        **options,
    }
    return [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in settings.items())]


def _run(command: list[str], environ: Mapping[str, str], folder: Path) -> int:
    """JupyterLab's exit code. In a session of its own, so that Ctrl-C reaches it through us: it would ask back."""
    with subprocess.Popen(
        command, env=environ, cwd=folder, stdin=subprocess.DEVNULL, start_new_session=True
    ) as process:  # fmt: skip
        try:
            return process.wait()
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """It ends its kernels by itself, where it is given the time."""
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
