"""Nobody else can have read or written what is trusted."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from credentials.examples import EXAMPLES
from swarm_api.credentials import CredentialError, Credentials

NAME = "github-token"
VALUE = EXAMPLES[NAME]
FILES = ("credentials.enc", "credentials")


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, credentials: Credentials, folder: Path) -> Path:
    """Each of the two, sound, with the credential in it."""
    path = folder / str(request.param)
    if path.name == "credentials.enc":
        credentials.store(NAME, VALUE)
    else:
        path.touch(mode=0o600)
        path.write_text(f"GITHUB_TOKEN={VALUE}\n")
    return path


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def refusal(credentials: Credentials) -> str:
    with pytest.raises(CredentialError) as refused:
        credentials.find(NAME)
    return str(refused.value)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_sound_file_is_read(credentials: Credentials, file: Path) -> None:
    found = credentials.find(NAME)
    assert found is not None
    assert found.value == VALUE


@pytest.mark.usefixtures("no_umask")
def test_everything_is_made_for_its_owner_alone(credentials: Credentials, tmp_path: Path) -> None:
    credentials.store(NAME, VALUE)
    made = sorted((tmp_path / "home").rglob("*"))
    assert [(path.name, oct(mode(path))) for path in made] == [
        (".config", "0o700"),
        ("claude-swarm", "0o700"),
        ("credentials.enc", "0o600"),
        ("credentials.lock", "0o600"),
    ]


@pytest.mark.parametrize("wide", [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o666])
def test_a_wide_file_is_refused(credentials: Credentials, file: Path, wide: int) -> None:
    file.chmod(wide)
    assert refusal(credentials) == f"{file}: open to others (mode {wide:04o}); chmod 600 {file}"


@pytest.mark.parametrize("wide", [0o750, 0o701, 0o755, 0o777])
def test_a_wide_folder_is_refused(credentials: Credentials, file: Path, wide: int) -> None:
    file.parent.chmod(wide)
    assert refusal(credentials) == f"{file.parent}: open to others (mode {wide:04o}); chmod 700 {file.parent}"


def test_nothing_is_stored_in_a_wide_folder(credentials: Credentials, folder: Path) -> None:
    folder.chmod(0o755)
    with pytest.raises(CredentialError, match="chmod 700 "):
        credentials.store(NAME, VALUE)
    assert list(folder.iterdir()) == []


def test_a_wide_file_is_not_added_to(credentials: Credentials, folder: Path) -> None:
    credentials.store(NAME, VALUE)
    (folder / "credentials.enc").chmod(0o644)
    with pytest.raises(CredentialError, match="chmod 600 "):
        credentials.store("swarm-api-key", EXAMPLES["swarm-api-key"])


def test_a_link_in_the_place_of_the_file_is_refused(credentials: Credentials, file: Path, tmp_path: Path) -> None:
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert refusal(credentials) == f"{file}: a symbolic link; put the file itself there"


def test_a_link_in_the_place_of_the_folder_is_refused(credentials: Credentials, file: Path, tmp_path: Path) -> None:
    file.parent.rename(tmp_path / "elsewhere")
    file.parent.symlink_to(tmp_path / "elsewhere")
    assert refusal(credentials) == f"{file.parent}: a link or a file; put a folder of your own there"


def test_a_link_in_the_place_of_the_lock_is_refused(credentials: Credentials, folder: Path, tmp_path: Path) -> None:
    (folder / "credentials.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CredentialError, match=r"credentials\.lock: a symbolic link"):
        credentials.store(NAME, VALUE)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(credentials: Credentials, file: Path) -> None:
    os.chown(file, 1, -1)
    assert refusal(credentials) == f"{file}: belongs to another user (uid 1); put one of your own there"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(credentials: Credentials, file: Path) -> None:
    os.chown(file.parent, 1, -1)
    assert refusal(credentials) == f"{file.parent}: belongs to another user (uid 1); put one of your own there"


@pytest.mark.parametrize("name", FILES)
def test_a_pipe_is_refused_without_waiting_for_it(credentials: Credentials, folder: Path, name: str) -> None:
    os.mkfifo(folder / name, 0o600)
    assert refusal(credentials) == f"{folder / name}: no regular file; move it away"


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_the_place_of_a_file_is_refused(credentials: Credentials, folder: Path, name: str) -> None:
    (folder / name).mkdir(mode=0o700)
    assert refusal(credentials) == f"{folder / name}: no regular file; move it away"


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_any_size_is_not_read_whole(credentials: Credentials, folder: Path, name: str) -> None:
    (folder / name).touch(mode=0o600)
    os.truncate(folder / name, 2**40)
    assert refusal(credentials).startswith(f"{folder / name}: larger than 1000000 bytes")


def test_a_file_in_the_place_of_the_folder_is_told(credentials: Credentials, folder: Path) -> None:
    folder.rmdir()
    folder.touch(mode=0o600)
    with pytest.raises(CredentialError, match="a link or a file"):
        credentials.store(NAME, VALUE)
