"""What an agent in a sandbox reaches of the machine: nothing. What is tried is reached without a sandbox."""

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from hubs import HubProcess
from sandbox.trying import Attempt, lines, reached
from security.tasks import run
from swarm_api.client import HubClient

JOIN_SESSION_KEYRING, THE_SESSIONS = 1, -3
OF_THE_USER = (".ssh/id_ed25519", ".aws/credentials", ".config/claude-swarm/credentials", ".bash_history")
OF_THE_HUB = ("hub.db", "hub.json", "worker.secret", "hub.lock")
OF_THE_MACHINE = ("/var", "/var/lib", "/sys", "/etc/apt", "/run/lock", "/proc/1/ns/net")


def expected(hub: HubProcess, attempts: Sequence[Attempt]) -> list[Attempt]:
    return [] if hub.settings["LOCAL_SANDBOX"] == "bubblewrap" else list(attempts)


def both(*paths: Path) -> list[Attempt]:
    return [(name, str(path)) for path in paths for name in ("read", "write")]


async def test_the_hubs_secrets_and_the_users(either: HubProcess, either_client: HubClient, target: Path) -> None:
    users = [Path(either.environment["HOME"]) / name for name in OF_THE_USER]
    for path in users:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("secret")
    hubs = [path for name in OF_THE_HUB if (path := either.data_dir / name).stat().st_size]
    assert len(hubs) >= 3
    attempts = both(*users, *hubs)
    assert await reached(either_client, target, attempts) == expected(either, attempts)


async def test_folders_on_the_way_hold_nothing_but_its_own(client: HubClient, hub: HubProcess, target: Path) -> None:
    await run(client, {"run": "echo a neighbour"}, repo=str(target), name="neighbour")
    task = await run(client, {"run": f"cd {hub.data_dir} && find . -maxdepth 2 | sort"}, repo=str(target))
    kinds = [Path(line).parts[0] if line != "." else "." for line in await lines(client, task)]
    assert kinds == [".", "agents", "agents", "homes", "homes", "worktrees", "worktrees"]


async def test_what_a_neighbour_left(either: HubProcess, either_client: HubClient, target: Path) -> None:
    leave = "echo '*.tmp' > .gitignore; echo mine > it.tmp; echo mine > $HOME/it"
    await run(either_client, {"run": leave}, repo=str(target))
    data = either.data_dir
    paths = [*data.glob("worktrees/*/it.tmp"), *data.glob("homes/*/it"), *data.glob("agents/*/lock")]
    assert len(paths) == 3
    attempts = both(*paths)
    assert await reached(either_client, target, attempts) == expected(either, attempts)


async def test_the_machine(either: HubProcess, either_client: HubClient, target: Path) -> None:
    folders: list[Attempt] = [("look_into", path) for path in OF_THE_MACHINE if os.path.isdir(path)]  # noqa: ASYNC240, PTH112
    attempts: list[Attempt] = [*folders, ("read", "/etc/hostname"), ("become_root_of_its_own", None)]
    assert await reached(either_client, target, attempts) == expected(either, attempts)


@pytest.fixture
def sockets(short: Path) -> Iterator[list[Attempt]]:
    """What listens on a machine: a session bus, an agent with keys, a daemon, an abstract name, a server."""
    with ExitStack() as stack:
        paths = [str(short / name) for name in ("bus", "ssh-agent", "docker.sock")]
        for name in (*paths, f"\0{short.name}"):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(name)
            listener.listen()
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        names: list[Attempt] = [("connect_unix", path) for path in paths]
        yield [*names, ("connect_abstract", short.name), ("connect", server.getsockname()[1])]


async def test_no_socket_but_the_hubs_where_the_model_is(
    either: HubProcess, either_client: HubClient, target: Path, sockets: list[Attempt]
) -> None:
    hub: Attempt = ("connect", int(either.settings["PORT"]))
    assert await reached(either_client, target, [*sockets, hub]) == [*expected(either, sockets), hub]


@pytest.fixture
def neighbour() -> Iterator[int]:
    """A process of the same user's."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process.pid
        process.kill()


async def test_processes(either: HubProcess, either_client: HubClient, target: Path, neighbour: int) -> None:
    attempts: list[Attempt] = [(name, pid) for pid in (neighbour, either.pid) for name in ("see", "signal")]
    attempts.append(("trace", neighbour))
    assert await reached(either_client, target, attempts) == expected(either, attempts)


@pytest.mark.parametrize("what", ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"])
async def test_it_can_do_nothing_that_others_cannot_and_cannot_learn_to(
    client: HubClient, target: Path, what: str
) -> None:
    assert what in await lines(client, await run(client, {"run": "cat /proc/self/status"}, repo=str(target)))


async def test_root_in_it_sets_nothing_of_the_kernels(client: HubClient, target: Path) -> None:
    """Without a sandbox nobody should try: the kernel runs what stands in `core_pattern`, as root."""
    attempts = [("write", f"/proc/sys/kernel/{name}") for name in ("core_pattern", "modprobe", "hostname")]
    assert await reached(client, target, attempts) == []


async def test_it_inherits_nothing_that_is_open_but_its_output(client: HubClient, target: Path) -> None:
    task = await run(client, {"run": "ls /proc/self/fd; readlink /proc/self/fd/0"}, repo=str(target))
    assert await lines(client, task) == ["0", "1", "2", "3", "/dev/null"]


async def test_it_has_no_terminal(client: HubClient, target: Path) -> None:
    task = await run(client, {"run": "(: < /dev/tty) 2> /dev/null || echo none"}, repo=str(target))
    assert await lines(client, task) == ["none"]


async def test_it_can_write_nowhere_but_where_it_works(client: HubClient, hub: HubProcess, target: Path) -> None:
    mounts = "awk '$6 ~ /^rw/ { print $5 }' /proc/self/mountinfo | grep -v '^/dev/'"
    task = await run(client, {"run": f"{mounts}; echo $PWD; echo $HOME; echo $TMPDIR"}, repo=str(target))
    *writable, worktree, home, tmp = await lines(client, task)
    own = {worktree, home, tmp, f"{target}/.git", "/proc", "/tmp"}
    assert set(writable) == own


@pytest.fixture
def key() -> str:
    """The name of a key in the session's keyring of everything that is started from here on."""
    libc = ctypes.CDLL(None, use_errno=True)
    add, control = {"x86_64": (248, 250), "aarch64": (217, 219)}[os.uname().machine]
    libc.syscall(control, JOIN_SESSION_KEYRING, 0)
    if libc.syscall(add, b"user", b"swarm-canary", b"secret", 6, THE_SESSIONS) == -1:
        pytest.skip("this kernel keeps no keys")
    return "swarm-canary"


async def test_the_kernels_keys(key: str, either: HubProcess, either_client: HubClient, target: Path) -> None:
    attempts: list[Attempt] = [("find_key", key)]
    assert await reached(either_client, target, attempts) == expected(either, attempts)
