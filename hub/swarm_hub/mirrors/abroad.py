"""git as the hub calls it to reach other machines: with the user's own keys, and GitHub's token where it belongs."""

import os
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from swarm_hub.git import git

PASSED = (
    "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
)  # fmt: skip
FIXED = {
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",  # nobody is there to answer a question
    "GIT_ASKPASS": "true",
}
LIMIT = 1800.0  # seconds that a fetch or a push may take
BY_ITSELF = {"fetch": "--upload-pack=git-upload-pack", "push": "--receive-pack=git-receive-pack"}
"""A repository's own configuration can name other programs; what is said here counts more."""


class Abroad:
    """`token` opens the repositories of `host` alone; git sees it in its environment, never among its arguments."""

    def __init__(self, token: str | None = None, host: str = "github.com") -> None:
        self._token = token
        self._host = host

    async def fetch(self, folder: Path, url: str, *refspecs: str) -> None:
        """Raises `GitFailed`."""
        options = ("--quiet", "--prune", "--force", "--no-auto-maintenance", "--no-write-fetch-head")
        await self._run(folder, url, "fetch", BY_ITSELF["fetch"], *options, "--", url, *refspecs)

    async def push(self, folder: Path, url: str, *refspecs: str) -> None:
        """Raises `GitFailed`."""
        await self._run(folder, url, "push", BY_ITSELF["push"], "--quiet", "--no-verify", "--", url, *refspecs)

    async def _run(self, folder: Path, url: str, *arguments: str) -> None:
        inherited = {name: os.environ[name] for name in PASSED if name in os.environ}
        await git(folder, arguments, {**inherited, **FIXED, **self._credential(url)}, LIMIT)

    def _credential(self, url: str) -> Mapping[str, str]:
        parts = urlsplit(url)
        if self._token is None or parts.scheme != "https" or parts.hostname != self._host:
            return {}
        basic = b64encode(f"x-access-token:{self._token}".encode()).decode()
        return configured((f"http.https://{self._host}/.extraHeader", f"Authorization: Basic {basic}"))


def configured(*pairs: tuple[str, str]) -> dict[str, str]:
    """Settings of git as variables: an argument could be read by everybody on the machine."""
    numbered = {f"GIT_CONFIG_KEY_{i}": key for i, (key, _) in enumerate(pairs)}
    numbered |= {f"GIT_CONFIG_VALUE_{i}": value for i, (_, value) in enumerate(pairs)}
    return {**numbered, "GIT_CONFIG_COUNT": str(len(pairs))}
