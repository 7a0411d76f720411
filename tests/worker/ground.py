"""Real git repositories to work on, and orders to do it by."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from swarm_api.worker import Limits, Resume, Source, WorkOrder
from swarm_worker.checkout import Checkout
from swarm_worker.opening import Opened, open_checkout

BRANCH = "swarm/0f3k9x2ab-say-hello"
ORDER = WorkOrder(
    agent_id="local-agent-0a1b2c3d",
    task_id="tsk_0f3k9x2abcdefghj",
    attempt=1,
    prompt="Say hello",
    model="sonnet",
    runtime="scripted",
    source=Source(kind="scratch"),
    branch=BRANCH,
    limits=Limits(timeout_seconds=60, memory_mb=1024, cpus=1),
)


def git(folder: Path, *arguments: str, ok: bool = True) -> str:
    """What git says, as whoever works in the folder would hear it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_NAME": "Bo", f"GIT_{role}_EMAIL": "bo@example.org"}
    run = subprocess.run(["git", *arguments], cwd=folder, env=env, capture_output=True, text=True)
    assert run.returncode == 0 or not ok, run.stderr
    return run.stdout.strip()


def write(folder: Path, name: str, text: str = "new\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def commit(folder: Path, name: str, text: str = "new\n", message: str = "A commit") -> str:
    """Add a file and commit it, as an agent would; the commit."""
    write(folder, name, text)
    git(folder, "add", "--", name)
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def show(repo: Path, name: str, branch: str = BRANCH) -> str:
    """A file as the branch holds it."""
    return git(repo, "show", f"{branch}:{name}")


def local(repo: Path, base_ref: str | None = None, **changes: Any) -> WorkOrder:
    return replace(ORDER, source=Source(kind="local", location=str(repo), base_ref=base_ref), **changes)


def url(address: str, base_ref: str | None = None, **changes: Any) -> WorkOrder:
    return replace(ORDER, source=Source(kind="url", location=address, base_ref=base_ref), **changes)


def again(order: WorkOrder, **changes: Any) -> WorkOrder:
    """The next attempt at the same task."""
    return replace(order, attempt=order.attempt + 1, resume=Resume(), **changes)


class Ground:
    """Opens checkouts in one workspace and remembers what was said about it."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.said: list[str] = []
        self._opened: list[Opened] = []

    async def open(self, order: WorkOrder, patience: float = 5.0) -> Checkout:
        opened = await open_checkout(order, self.workspace, self.said.append, lambda: "", patience)
        self._opened.append(opened)
        return opened.checkout

    def last(self) -> Opened:
        return self._opened[-1]

    def leave(self) -> None:
        """As a worker that ends, in whatever way: its locks are free."""
        while self._opened:
            self._opened.pop().site.lock.close()
