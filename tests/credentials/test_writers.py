"""Writers that meet, die in the middle, or find no room: nothing is lost, and nothing is half done."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.disks import Disk, disk
from swarm_api.credentials import CredentialError, writing
from swarm_api.credentials.encrypted import EncryptedFile

__all__ = ["disk"]  # the fixture

BEGIN = """
import fcntl, os, resource, signal, sys
from pathlib import Path
from swarm_api.credentials import CredentialError, sealed
from swarm_api.credentials.encrypted import EncryptedFile
file = EncryptedFile(Path(sys.argv[1]), lambda: b"here")
"""
STORE_AND_LOOK = """
left = {}
for round in range(4):
    for name in sys.argv[2:]:
        left[name] = f"{name} {round}"
        file.put(name, left[name])
        assert left.items() <= file.read().items()
    assert file.drop(name)
    del left[name]
    assert name not in file.read()
"""
DIE_AT = """
at = int(sys.argv[2])
def die(event, arguments):
    global at
    if event in ("open", "os.mkdir", "os.remove", "os.rename", "fcntl.flock"):
        at -= 1
        if at < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(die)
file.put("a", "new")
"""
DIE_WHILE_WRITING = """
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
file.put("a", "new")
"""


def encrypted(path: Path) -> EncryptedFile:
    return EncryptedFile(path, lambda: b"here")


def start(script: str, *arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BEGIN + script, *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_two_writers_at_once_lose_nothing_of_each_other(folder: Path) -> None:
    path = folder / "credentials.enc"
    writers = [start(STORE_AND_LOOK, path, "a", "b"), start(STORE_AND_LOOK, path, "c", "d")]
    assert [writer.communicate(timeout=60)[1] for writer in writers] == ["", ""]
    assert encrypted(path).read() == {"a": "a 3", "c": "c 3"}


def test_a_writer_that_is_killed_at_any_step_leaves_the_old_or_the_new(folder: Path) -> None:
    path = folder / "credentials.enc"
    seen = []
    for step in range(50):
        encrypted(path).put("a", "old")
        encrypted(path).put("b", "other")
        writer = start(DIE_AT, path, str(step))
        error = writer.communicate(timeout=60)[1]
        left = encrypted(path).read()
        assert left["b"] == "other"
        seen.append(left["a"])
        if writer.returncode == 0:
            break
        assert writer.returncode == -signal.SIGKILL, error
    assert seen == sorted(seen, reverse=True)
    assert seen.count("old") >= 4
    assert seen.count("new") >= 2


@pytest.mark.parametrize("fits", [0, 1, 40, 100])
def test_a_writer_that_is_killed_while_it_writes_leaves_the_old(folder: Path, fits: int) -> None:
    path = folder / "credentials.enc"
    encrypted(path).put("a", "old")
    writer = start(DIE_WHILE_WRITING, path, str(fits))
    writer.communicate(timeout=60)
    assert writer.returncode == -signal.SIGXFSZ
    assert (folder / "credentials.enc.new").stat().st_size == fits
    assert encrypted(path).read() == {"a": "old"}


def test_what_a_killed_writer_left_is_cleared_by_the_next(folder: Path) -> None:
    path = folder / "credentials.enc"
    (folder / "credentials.enc.new").write_bytes(b"half")
    encrypted(path).put("a", "new")
    assert sorted(item.name for item in folder.iterdir()) == ["credentials.enc", "credentials.lock"]


def test_on_a_full_disk_the_old_stays_and_the_reason_is_told(disk: Disk) -> None:
    path = disk.folder / "credentials.enc"
    encrypted(path).put("a", "old")
    disk.fill()
    with pytest.raises(CredentialError) as refused:
        encrypted(path).put("a", "new")
    assert str(refused.value) == f"{path}: No space left on device; nothing was changed"
    assert encrypted(path).read() == {"a": "old"}
    assert not (disk.folder / "credentials.enc.new").exists()
    disk.free()
    encrypted(path).put("a", "new")
    assert encrypted(path).read() == {"a": "new"}


def test_on_a_read_only_disk_the_reason_is_told(disk: Disk) -> None:
    path = disk.folder / "credentials.enc"
    encrypted(path).put("a", "old")
    disk.make_read_only()
    with pytest.raises(CredentialError, match=r"Read-only file system$"):
        encrypted(path).put("a", "new")
    assert encrypted(path).read() == {"a": "old"}


def test_a_writer_that_never_ends_is_not_waited_for_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_LOCK_SECONDS", 0.1)
    with writing.sole_writer(folder), pytest.raises(CredentialError, match=r"lock: another program keeps it locked; "):
        encrypted(folder / "credentials.enc").put("a", "new")


def test_a_credential_of_a_name_to_come_is_kept(folder: Path) -> None:
    path = folder / "credentials.enc"
    encrypted(path).put("slurm-token", "of a newer version")
    encrypted(path).put("a", "new")
    assert encrypted(path).read() == {"slurm-token": "of a newer version", "a": "new"}
