"""The place of an agent's work: its folder, its home, and an environment without anything of the worker's."""

import os
from collections.abc import Mapping
from pathlib import Path

from swarm_api.ids import short
from swarm_api.worker import WorkOrder
from swarm_worker.gitconfig import Config
from swarm_worker.launch import COOKIE
from swarm_worker.runtimes import Place

PASSED = frozenset({
    "PATH", "USER", "LOGNAME", "SHELL", "TZ", "LANG", "LANGUAGE",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
})  # fmt: skip
"""What programs need to run, to read text and to reach the network. No way to the user's keys is among them."""


def make_place(order: WorkOrder, workspace: Path, workdir: Path, config: Config) -> Place:
    """The home stays for the task's next attempt; the folder for temporary files is the attempt's own."""
    home = workspace / "homes" / short(order.task_id)
    tmp = workspace / "agents" / order.agent_id / "tmp"
    desk = tmp.with_name("desk")
    for folder in (home.parent, home, tmp, desk):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Place(workdir, home, tmp, _environment(order.agent_id, home, tmp, config, os.environ), desk)


def _environment(agent_id: str, home: Path, tmp: Path, config: Config, outside: Mapping[str, str]) -> dict[str, str]:
    passed = {name: value for name, value in outside.items() if name in PASSED or name.startswith("LC_")}
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        **passed,
        "HOME": str(home),
        "TMPDIR": str(tmp),
        COOKIE: agent_id,
        **config.identity(),
    }
