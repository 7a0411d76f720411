"""Commits that a review is wanted of, and which of them the hooks have seen."""

import hashlib
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from swarm_api.git_root import git_root

_OF_AGENTS = "swarm/"  # branches that agents work on
_SHA = re.compile(r"[0-9a-f]{4,64}")
_REMEMBERED = 200
_RUN_NOTHING = [
    part for setting in ("core.hooksPath=/dev/null", "core.fsmonitor=false", "log.showSignature=false")
    for part in ("-c", setting)
]  # fmt: skip
"""A repository's own settings name programs that git would start."""
_UNDER_WAY = ("rebase-merge", "rebase-apply", "sequencer")


class Commit(NamedTuple):
    """`root`: the top of the working tree."""

    root: Path
    sha: str


def commit_of(folder: Path, name: str = "HEAD") -> Commit | None:
    """The commit of that name in the repository around a folder. None where there is none."""
    if name != "HEAD" and not _SHA.fullmatch(name):
        return None
    root, sha = git_root(folder), _git(folder, "rev-parse", "-q", "--verify", f"{name}^0")
    return None if root is None or sha is None else Commit(root, sha)


def is_to_review(commit: Commit) -> bool:
    """Whether somebody made it just so: no merge, nothing of a rebase or cherry-pick, no branch of the swarm's own."""
    if (_git(commit.root, "symbolic-ref", "-q", "--short", "HEAD") or "").startswith(_OF_AGENTS):
        return False
    return _git(commit.root, "rev-parse", "-q", "--verify", f"{commit.sha}^2") is None and not _is_under_way(
        commit.root
    )


def was_committed(commit: Commit) -> bool:
    """Whether HEAD came to be this commit by committing, not by a checkout, a pull or a reset."""
    return (_git(commit.root, "log", "-g", "-1", "--format=%gs", "HEAD") or "").startswith(("commit:", "commit ("))


class SeenCommits:
    """The commits of each repository that the hooks looked at, the latest last."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        from platformdirs import user_state_path

        root = environ.get("XDG_STATE_HOME", "")
        state = Path(root) / "claude-swarm" if root.startswith("/") else user_state_path("claude-swarm")
        self._folder = state / "hooks"

    def of(self, root: Path) -> list[str]:
        try:
            return self._file(root).read_text().split()
        except FileNotFoundError:
            return []

    def see(self, commit: Commit) -> None:
        known = [sha for sha in self.of(commit.root) if sha != commit.sha]
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file(commit.root).write_text("\n".join([*known[-_REMEMBERED:], commit.sha]))

    def _file(self, root: Path) -> Path:
        return self._folder / hashlib.sha256(os.fsencode(root)).hexdigest()[:32]


def _is_under_way(folder: Path) -> bool:
    paths = _git(folder, "rev-parse", *(part for name in _UNDER_WAY for part in ("--git-path", name))) or ""
    return any((folder / path).exists() for path in paths.splitlines())


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None when it fails."""
    # A git hook has variables set that name its own repository and index.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", *_RUN_NOTHING, *arguments]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    return done.stdout.rstrip("\n") if done.returncode == 0 else None
