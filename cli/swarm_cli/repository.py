"""What `--repo` and `repo:` may say beside what the API takes: paths relative to where they are written."""

import os
from pathlib import Path

from swarm_api.git_root import git_root
from swarm_cli.faults import wrong_usage

_RELATIVE = ("./", "../", "~")


def absolute_repo(repo: str, folder: Path) -> str:
    """A path that begins with a dot or `~`, or a folder that is there, becomes the absolute path of its git repository.

    All else is left to the API: absolute paths, URLs and `owner/name`. Raises a usage `Fault` outside a repository.
    """
    if not _is_relative(repo, folder):
        return repo
    path = (folder / Path(repo).expanduser()).resolve()
    root = git_root(path)
    if root is None:
        raise wrong_usage(f"{repo} ({path}) is no git repository", hint=f"git init {path}")
    return str(root)


def _is_relative(repo: str, folder: Path) -> bool:
    if repo in (".", "..") or repo.startswith(_RELATIVE):
        return True
    # As with `git clone`, a folder comes before what else the words may mean. `os.path` takes words of any length.
    return bool(repo) and not repo.startswith("/") and os.path.isdir(folder / repo)  # noqa: PTH112
