"""The system keyring where one runs: GNOME's own, on a bus of the test's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from credentials.buses import Bus
from credentials.examples import EXAMPLES, OTHER_KEY
from swarm_api.credentials import NAMES, CredentialError, Credentials, Found

NAME = "swarm-api-key"
KEY = EXAMPLES[NAME]
LOCKED = "the system keyring cannot be used (KeyringLocked: Failed to unlock the collection!)"


@pytest.fixture
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    """Unlocked and empty."""
    bus = Bus(tmp_path_factory.mktemp("bus"))
    try:
        bus.start_keyring()
        yield bus
    finally:
        bus.end()


@pytest.fixture
def headless(environ: dict[str, str], warnings: list[str]) -> Credentials:
    """The same home, seen without the keyring."""
    return Credentials(environ.copy(), warnings.append)


@pytest.fixture
def credentials(headless: Credentials, keyring: Bus, environ: dict[str, str], warnings: list[str]) -> Credentials:
    return Credentials(environ | keyring.environ, warnings.append)


@pytest.mark.parametrize("name", NAMES)
def test_each_credential_is_kept_in_it_under_its_name(keyring: Bus, credentials: Credentials, name: str) -> None:
    assert credentials.store(name, EXAMPLES[name]) == "keyring"
    assert credentials.find(name) == Found(EXAMPLES[name], "keyring")
    assert keyring.labels() == [f"Password for '{name}' on 'claude-swarm'"]


def test_with_it_no_file_is_made(credentials: Credentials, tmp_path: Path) -> None:
    credentials.store(NAME, KEY)
    assert not (tmp_path / "home").exists()


def test_what_it_does_not_hold_is_looked_for_in_the_files(credentials: Credentials, headless: Credentials) -> None:
    headless.store(NAME, KEY)
    assert credentials.find(NAME) == Found(KEY, "encrypted file")


def test_it_wins_over_the_files(credentials: Credentials, headless: Credentials) -> None:
    credentials.store(NAME, KEY)
    headless.store(NAME, OTHER_KEY)
    assert credentials.find(NAME) == Found(KEY, "keyring")


def test_a_variable_wins_over_it(credentials: Credentials, keyring: Bus, environ: dict[str, str]) -> None:
    credentials.store(NAME, KEY)
    with_variable = Credentials(environ | keyring.environ | {"SWARM_API_KEY": OTHER_KEY}, pytest.fail)
    assert with_variable.find(NAME) == Found(OTHER_KEY, "environment")


def test_to_store_in_it_takes_the_copies_out_of_the_files(
    credentials: Credentials, headless: Credentials, folder: Path
) -> None:
    headless.store(NAME, OTHER_KEY)
    (folder / "credentials").touch(mode=0o600)
    (folder / "credentials").write_text(f"SWARM_API_KEY={OTHER_KEY}\n")
    credentials.store(NAME, KEY)
    assert [path.name for path in folder.iterdir()] == ["credentials.lock"]


def test_what_is_stored_again_is_there_once(credentials: Credentials, keyring: Bus) -> None:
    credentials.store(NAME, OTHER_KEY)
    credentials.store(NAME, KEY)
    assert credentials.find(NAME) == Found(KEY, "keyring")
    assert len(keyring.labels()) == 1


def test_to_forget_removes_from_it_and_from_the_files(
    credentials: Credentials, headless: Credentials, keyring: Bus
) -> None:
    credentials.store(NAME, KEY)
    headless.store(NAME, OTHER_KEY)
    assert credentials.forget(NAME)
    assert credentials.find(NAME) is None
    assert keyring.labels() == []


def test_to_forget_what_it_does_not_hold_removes_nothing(credentials: Credentials, keyring: Bus) -> None:
    credentials.store("github-token", EXAMPLES["github-token"])
    assert not credentials.forget(NAME)
    assert len(keyring.labels()) == 1


def test_origins_names_it(credentials: Credentials, headless: Credentials) -> None:
    credentials.store(NAME, KEY)
    headless.store("github-token", EXAMPLES["github-token"])
    assert {name: origin for name, origin in credentials.origins().items() if origin} == {
        NAME: "keyring",
        "github-token": "encrypted file",
    }


def test_a_locked_one_is_warned_of_once_and_the_files_serve(
    credentials: Credentials, keyring: Bus, warnings: list[str]
) -> None:
    """A prompt that nobody can answer counts as dismissed."""
    keyring.lock()
    assert credentials.store(NAME, KEY) == "encrypted file"
    assert credentials.find(NAME) == Found(KEY, "encrypted file")
    assert warnings == [
        f"{LOCKED}; the files beside config.json serve instead, and what the keyring holds wins again once it opens"
    ]


def test_to_forget_complains_while_it_is_locked(credentials: Credentials, headless: Credentials, keyring: Bus) -> None:
    credentials.store(NAME, KEY)
    headless.store(NAME, KEY)
    keyring.lock()
    with pytest.raises(CredentialError) as refused:
        credentials.forget(NAME)
    assert str(refused.value) == f"{LOCKED}, and {NAME} may still be in it; unlock it and try again"
    assert headless.find(NAME) is None


@pytest.mark.parametrize("backend", ["null", "fail"])
def test_the_variable_of_keyring_switches_it_off(
    credentials: Credentials, keyring: Bus, environ: dict[str, str], backend: str
) -> None:
    credentials.store(NAME, KEY)
    switched_off = environ | keyring.environ | {"PYTHON_KEYRING_BACKEND": f"keyring.backends.{backend}.Keyring"}
    assert Credentials(switched_off, pytest.fail).find(NAME) is None


def test_one_that_hangs_is_not_waited_for_for_ever(credentials: Credentials, keyring: Bus, warnings: list[str]) -> None:
    keyring.hang()
    assert credentials.origins() == dict.fromkeys(NAMES)
    assert credentials.find(NAME) is None
    assert [warning.partition(";")[0] for warning in warnings] == [
        "the system keyring cannot be used (it did not answer within 5 s)"
    ]
