"""A repository of this machine is brought to a hub that is elsewhere, before its tasks are handed out."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from swarm_api.addresses import is_loopback
from swarm_api.tasks import TaskIn
from swarm_cli.hub_remote import HubRemote, git

Known = dict[tuple[str, str | None], tuple[str, str]]
"""What is at the hub already: of a folder and a ref, the repository's name there and the commit."""
LONGEST = 40  # characters of a folder's name that its repository at the hub keeps
_AUTHOR = {"GIT_AUTHOR_NAME": "swarm submit", "GIT_AUTHOR_EMAIL": "claude-swarm@localhost",
           "GIT_COMMITTER_NAME": "swarm submit", "GIT_COMMITTER_EMAIL": "claude-swarm@localhost"}  # fmt: skip


def is_elsewhere(hub_url: str) -> bool:
    """Whether the hub would look for a path of this machine on its own."""
    return not is_loopback(urlsplit(hub_url).hostname or "")


def brought(tasks: Sequence[TaskIn], hub_url: str, environ: Mapping[str, str], *, changes: bool) -> list[TaskIn]:
    """The tasks, those of local repositories with these as they are at the hub, once they are there.

    `changes`: with what is not committed, as a commit of its own. Raises a `Fault`.
    """
    remote = HubRemote(hub_url, environ)
    known: Known = {}
    return [_brought(task, remote, known, changes=changes) for task in tasks]


def _brought(task: TaskIn, remote: HubRemote, known: Known, *, changes: bool) -> TaskIn:
    if task.repo is None or not task.repo.startswith("/"):
        return task
    key = (task.repo, task.base_ref)
    if key not in known:
        folder = Path(task.repo)
        name, commit = name_of(folder), _commit(folder, task.base_ref, changes=changes)
        remote.push(folder, name, f"+{commit}:refs/heads/brought/{commit[:12]}")
        known[key] = name, commit
    name, commit = known[key]
    settings = task.repo_settings or "project"  # it is the caller's own, as a path is
    return task.model_copy(update={"repo": f"swarm://git/{name}", "base_ref": commit, "repo_settings": settings})


def name_of(folder: Path) -> str:
    """The same for all clones of a repository in folders of one name."""
    root = git(folder, "rev-list", "--max-parents=0", "HEAD").splitlines()[-1]
    words = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower())[:LONGEST].strip("-")
    return f"{words or 'repository'}-{root[:8]}"


def _commit(folder: Path, ref: str | None, *, changes: bool) -> str:
    head = git(folder, "rev-parse", "--verify", "--end-of-options", f"{ref or 'HEAD'}^{{commit}}")
    if not changes or not git(folder, "status", "--porcelain"):
        return head
    with TemporaryDirectory() as tmp:
        index = {"GIT_INDEX_FILE": f"{tmp}/index"}  # so that the repository's own stays as it is
        git(folder, "read-tree", head, **index)
        git(folder, "add", "--all", "--", ":/", **index)
        tree = git(folder, "write-tree", **index)
    return git(folder, "commit-tree", tree, "-p", head, "-m", "Changes that were not committed", **_AUTHOR)
