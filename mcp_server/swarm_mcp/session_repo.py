"""Which repository a task is about, where the server runs on the machine of whoever asks."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from swarm_api.addresses import is_loopback
from swarm_api.errors import InvalidInput
from swarm_api.git_root import git_root

_RELATIVE = ("./", "../", "~")


@dataclass(frozen=True)
class SessionRepo:
    """`folder`: where the host was started. A hub elsewhere does not see this machine's paths."""

    url: str
    folder: Path

    def __call__(self, repo: str | None) -> str | None:
        """None is the session's repository, if the hub can see it; "" is none. Raises `InvalidInput`."""
        if repo is None:
            root = git_root(self.folder) if is_loopback(urlsplit(self.url).hostname) else None
            return None if root is None else str(root)
        if repo not in (".", "..") and not repo.startswith(_RELATIVE):
            return repo or None
        path = (self.folder / Path(repo).expanduser()).resolve()
        if (root := git_root(path)) is None:
            raise InvalidInput.field("repo", f"{repo} ({path}) is no git repository")
        return str(root)
