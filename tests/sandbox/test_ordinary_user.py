"""The walls around what an ordinary user runs, and around what root runs."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from swarm_api.sandbox import walls

NOBODY = 65_534
AS = {
    "root": (),
    "nobody": ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"),
}


@pytest.fixture(params=AS)
def who(request: pytest.FixtureRequest, _bubblewrap: None) -> Sequence[str]:
    if os.getuid() != 0:
        pytest.skip("only root may become somebody else; the other tests have run as an ordinary user")
    return AS[request.param]


def behind(who: Sequence[str], script: str, *mounts: str) -> list[str]:
    command = [*who, *walls(mounts, network=False), "--", "sh", "-c", script]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=True).stdout.split("\n")[:-1]


def test_it_has_no_capabilities_and_gains_none(who: Sequence[str]) -> None:
    look = "grep -E 'Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs' /proc/self/status | cut -f2; "
    look += "unshare -U true 2> /dev/null || echo no"
    assert behind(who, look) == [*["0" * 16] * 4, "1", "no"]


def test_it_mounts_nothing_and_sets_nothing_of_the_kernels(who: Sequence[str]) -> None:
    look = "find /proc -mindepth 1 -maxdepth 5 -regex '/proc/[0-9ts].*' -not -path '/proc/sys*' -prune -o "
    look += "-writable -type f -print 2> /dev/null | grep -vE '^/proc/(mtrr|pressure/.*)$'; "
    look += "mount -t tmpfs none /tmp 2> /dev/null && echo on; mount -o remount,rw / 2> /dev/null && echo again; true"
    assert behind(who, look) == []


def test_what_is_shown_cannot_be_written_and_what_is_given_can(who: Sequence[str], short: Path) -> None:
    short.chmod(0o755)
    for name in ("shown", "given"):
        (short / name).mkdir()
        os.chown(short / name, NOBODY if who else 0, -1)
    mounts = ("--ro-bind", f"{short}/shown", f"{short}/shown", "--bind", f"{short}/given", f"{short}/given")
    look = f"cd {short}; for each in *; do touch $each/x 2> /dev/null && echo $each; done; true"
    assert behind(who, look, *mounts) == ["given"]


def test_it_is_alone(who: Sequence[str]) -> None:
    look = "echo /proc/[0-9]*; tail -n +2 /proc/net/unix | wc -l; tail -n +3 /proc/net/dev | cut -d: -f1"
    processes, sockets, interfaces = behind(who, look)
    assert len(processes.split()) <= 4
    assert (sockets, interfaces.strip()) == ("0", "lo")
