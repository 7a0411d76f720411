"""How a worker's process is started: its environment, its token, its files. What it must not see is left out here."""

import os
import subprocess
from collections.abc import Mapping, Sequence

from swarm_executors.folder import AgentFolder
from swarm_executors.processes import COOKIE
from swarm_executors.protocol import Launch

PASSED = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE",
    "XDG_CONFIG_HOME",  # where git's configuration may be
    "SSH_AUTH_SOCK",  # git fetches and pushes as the hub's user
    "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
})  # fmt: skip
"""What a worker gets of the hub's environment, with LC_*: what it takes to run programs, to read text and to reach a
git server. A list of what passes, because the hub's secrets are variables too, and no list of those is complete."""


def environment(launch: Launch, inherited: Mapping[str, str], token: int, lock: int) -> dict[str, str]:
    """The worker's whole environment. `token` and `lock` are the file descriptors it inherits."""
    passed = {name: value for name, value in inherited.items() if name in PASSED or name.startswith("LC_")}
    return passed | {
        COOKIE: launch.agent_id,
        "SWARM_AGENT_ID": launch.agent_id,
        "SWARM_HUB_URL": launch.hub_url,
        "SWARM_WORKER_TOKEN_FD": str(token),
        "SWARM_LOCK_FD": str(lock),
        "PYTHONSAFEPATH": "1",  # a target repository's worker/ or sitecustomize.py is not for importing
    }


def spawn(command: Sequence[str], launch: Launch, folder: AgentFolder, lock: int) -> int:
    """Run the command as a child that holds the lock, in a session of its own. Raises `OSError` when it cannot run."""
    token = _readable(launch.token)
    try:
        with folder.output() as output:
            child = subprocess.Popen(
                command,
                cwd=folder.path,
                env=environment(launch, os.environ, token, lock),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(token, lock),
                start_new_session=True,
            )
    finally:
        os.close(token)
    # Popen warns when it is let go of before its process has ended, and this one is meant to outlive us.
    child.returncode = 0
    return child.pid


def _readable(text: str) -> int:
    """A file descriptor to read the text from, to its end. A pipe holds what is far longer than a token."""
    read, write = os.pipe()
    try:
        os.write(write, text.encode())
    finally:
        os.close(write)
    return read
