"""git with the hub as its remote: what is brought to it, and what is fetched from it."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from swarm_api.access import access, may_be_insecure
from swarm_api.addresses import keep_private
from swarm_api.source import source_of
from swarm_cli.faults import Fault


class HubRemote:
    """The repositories of one hub. The credential is in git's environment, never among its arguments."""

    def __init__(self, hub_url: str, environ: Mapping[str, str]) -> None:
        """Raises `BadConfig`, `NotAuthenticated`, and `InsecureAddress` where others could read the credential."""
        self._hub_url = hub_url
        token = source_of(access(hub_url, environ)).token()
        if token is not None and not may_be_insecure(environ):
            keep_private(hub_url)
        self._environ = {
            **environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": f"http.{hub_url}/git/.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Bearer {token}" if token else "",
            "GIT_CONFIG_KEY_1": "http.followRedirects", "GIT_CONFIG_VALUE_1": "false",
        }  # fmt: skip

    def url(self, name: str) -> str:
        return f"{self._hub_url}/git/{name}.git"

    def push(self, folder: Path, name: str, *refspecs: str) -> None:
        """Raises a `Fault` with git's own words."""
        self._git(folder, "push", "--quiet", "--no-verify", "--", self.url(name), *refspecs)

    def fetch(self, folder: Path, name: str, *refspecs: str) -> None:
        """Raises a `Fault` with git's own words."""
        self._git(folder, "fetch", "--no-tags", "--no-write-fetch-head", "--", self.url(name), *refspecs)

    def _git(self, folder: Path, *arguments: str) -> None:
        _run(folder, arguments, self._environ)


def git(folder: Path, *arguments: str, **variables: str) -> str:
    """What git prints. Raises a `Fault` with its words."""
    return _run(folder, arguments, {**os.environ, "LC_ALL": "C", **variables})


def _run(folder: Path, arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    command = ["git", *arguments]
    run = subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=False)
    if run.returncode:
        raise Fault(f"git {arguments[0]}: {_gist(run.stderr)}")
    return run.stdout.decode(errors="replace").strip()


def _gist(complaint: bytes) -> str:
    """The line that says why: git's last words are often advice."""
    lines = [line.strip() for line in complaint.decode(errors="replace").splitlines() if line.strip()]
    found = [line for line in lines if line.startswith(("! ", "fatal:", "error:", "remote:"))]
    return (found or lines or ["it failed"])[0]
