"""`swarm notebook` as a user runs it: the real program with a real JupyterLab, in a home of its own."""

import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from cli.program import LIMIT, Swarm

_URL = re.compile(r"(http://127\.0\.0\.1:\d+)/\S*\?token=([0-9a-f]+)")
_HUB = re.compile(r"made-up tasks: (http://127\.0\.0\.1:\d+)\.")


class Lab:
    """A JupyterLab that answers, and all that it has said."""

    def __init__(self, process: "subprocess.Popen[str]", said: list[str], tmp: Path) -> None:
        self.process = process
        self.tmp = tmp
        self.said = said
        (self.url, self.token), *_ = _URL.findall(self.text)

    @property
    def text(self) -> str:
        return "".join(self.said)

    @property
    def hub(self) -> str:
        """The address of the sample's hub."""
        return str(_HUB.findall(self.text)[0])

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """The program's exit code."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT)


@contextmanager
def lab(swarm: Swarm, *arguments: str, **environ: str) -> Iterator[Lab]:
    """`swarm notebook`, once it has said where it is; ended at the latest at the end."""
    tmp = {"TMPDIR": str(swarm.folder / "tmp"), "JUPYTER_PREFER_ENV_PATH": "0"}
    (swarm.folder / "tmp").mkdir(exist_ok=True)
    _refuse_news(swarm.folder / "home")
    process = subprocess.Popen(
        [swarm.program, "notebook", "--no-browser", "--allow-root", *arguments], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**swarm.environ, **tmp, **environ},
        cwd=swarm.folder, start_new_session=True,
    )  # fmt: skip
    said: list[str] = []
    there = threading.Event()
    reader = threading.Thread(target=_read, args=(process, said, there), daemon=True)
    reader.start()
    try:
        assert there.wait(LIMIT), "".join(said)
        yield Lab(process, said, swarm.folder / "tmp")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(LIMIT)
        reader.join()


def left(folder: Path) -> list[str]:
    """What still runs that knows of a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(folder) in " ".join([*process.environ().values(), process.cwd()]):
                found.append(f"{process.pid} {process.cmdline()}")
        except psutil.Error:
            continue
    return found


def _refuse_news(home: Path) -> None:
    """As somebody who was asked before whether JupyterLab may fetch its news."""
    answer = home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    answer.parent.mkdir(parents=True, exist_ok=True)
    answer.write_text('{"fetchNews": "false"}')


def _read(process: "subprocess.Popen[str]", said: list[str], there: threading.Event) -> None:
    assert process.stdout is not None
    with process.stdout as output:
        for line in output:
            said.append(line)
            if _URL.search(line):
                there.set()
    there.set()
