"""Small disks that a test mounts, fills and frees."""

import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SIZE = "8m"


class Disk:
    """A folder with a file system of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Until not a byte more fits."""
        with self._filler.open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"\0" * 65_536)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self) -> None:
        self._filler.unlink()

    def make_read_only(self) -> None:
        _run("mount", "-o", "remount,ro", self.folder)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Skips where no file system may be mounted: only root may, and only on Linux this way."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", folder)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    yield Disk(folder)
    _run("umount", "-l", folder)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
