"""Machines without a keyring, and keyrings of all kinds that do not do what they should."""

import json
import sys
from pathlib import Path

import pytest

from credentials.buses import Bus
from credentials.examples import EXAMPLES, OTHER_KEY
from swarm_api.credentials import VARIABLES, CredentialError, Credentials, Found, system_keyring
from worker.waiting import has_ended

TESTS = Path(__file__).parents[1]
NAME = "swarm-api-key"
KEY = EXAMPLES[NAME]

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="keyrings elsewhere need no bus")


@pytest.fixture
def home(environ: dict[str, str]) -> Path:
    path = Path(environ["HOME"])
    path.mkdir(exist_ok=True)
    return path


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For sockets, whose paths have 108 bytes at most."""
    return tmp_path_factory.mktemp("bus")


def with_ring(environ: dict[str, str], ring: str) -> dict[str, str]:
    """One of `credentials.rings`."""
    return environ | {"PYTHON_KEYRING_BACKEND": f"credentials.rings.{ring}", "PYTHONPATH": str(TESTS)}


def told(warnings: list[str]) -> str:
    """The reason in the only warning."""
    (warning,) = warnings
    return warning.removeprefix("the system keyring cannot be used (").partition("); ")[0]


@on_linux
def test_without_a_bus_nothing_is_started(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a desktop has no Secret Service, and does not pay to learn it."""
    monkeypatch.setattr("subprocess.Popen.__init__", pytest.fail)
    credentials = Credentials(environ, pytest.fail)
    assert credentials.find(NAME) is None
    assert not credentials.forget(NAME)


def test_a_bus_without_a_keyring_is_no_reason_for_a_warning(short: Path, environ: dict[str, str]) -> None:
    bus = Bus(short)
    try:
        credentials = Credentials(environ | bus.environ, pytest.fail)
        assert credentials.store(NAME, KEY) == "encrypted file"
        assert credentials.forget(NAME)
    finally:
        bus.end()


@on_linux
def test_a_bus_that_is_gone_is_told(environ: dict[str, str], warnings: list[str]) -> None:
    environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nowhere/bus"
    assert Credentials(environ, warnings.append).store(NAME, KEY) == "encrypted file"
    assert told(warnings) == "ConnectionError: the bus that DBUS_SESSION_BUS_ADDRESS names does not answer"


def test_a_bus_that_says_nothing_is_told(short: Path, environ: dict[str, str], warnings: list[str]) -> None:
    bus = Bus(short)
    bus.hang()
    try:
        assert Credentials(environ | bus.environ, warnings.append).find(NAME) is None
    finally:
        bus.end()
    assert told(warnings) == "ConnectionError: the bus that DBUS_SESSION_BUS_ADDRESS names does not answer"


def test_a_sound_ring_serves(environ: dict[str, str], home: Path) -> None:
    """What the others below differ from."""
    credentials = Credentials(with_ring(environ, "Ring"), pytest.fail)
    assert credentials.store(NAME, KEY) == "keyring"
    assert credentials.find(NAME) == Found(KEY, "keyring")


def test_one_that_keeps_plain_text_counts_as_none(environ: dict[str, str], home: Path) -> None:
    credentials = Credentials(with_ring(environ, "PlainText"), pytest.fail)
    assert credentials.store(NAME, KEY) == "encrypted file"
    assert not (home / "PlainText.json").exists()


def test_of_a_chain_the_ring_that_is_safe_serves(environ: dict[str, str], home: Path) -> None:
    credentials = Credentials(with_ring(environ, "Chain"), pytest.fail)
    assert credentials.store(NAME, KEY) == "keyring"
    assert [path.name for path in home.glob("*Text.json")] == []


def test_a_chain_of_plain_text_counts_as_none(environ: dict[str, str], home: Path) -> None:
    assert Credentials(with_ring(environ, "ChainOfPlain"), pytest.fail).store(NAME, KEY) == "encrypted file"


def test_one_that_does_not_exist_is_told(environ: dict[str, str], home: Path, warnings: list[str]) -> None:
    Credentials(with_ring(environ, "Missing"), warnings.append).find(NAME)
    assert told(warnings) == "AttributeError: module 'credentials.rings' has no attribute 'Missing'"


def test_what_it_refuses_to_store_goes_to_the_file_and_its_older_copy_goes(
    environ: dict[str, str], home: Path, warnings: list[str]
) -> None:
    """Windows refuses long ones; the older one would win over the file."""
    (home / "Full.json").write_text(json.dumps({f"claude-swarm {NAME}": OTHER_KEY}))
    assert Credentials(with_ring(environ, "Full"), warnings.append).store(NAME, KEY) == "encrypted file"
    assert Credentials(with_ring(environ, "Full"), warnings.append).find(NAME) == Found(KEY, "encrypted file")


def test_an_error_that_holds_the_value_is_not_repeated(
    environ: dict[str, str], home: Path, warnings: list[str]
) -> None:
    Credentials(with_ring(environ, "Full"), warnings.append).store(NAME, KEY)
    assert told(warnings) == "OSError"


def test_one_that_prints_is_understood(environ: dict[str, str], home: Path) -> None:
    credentials = Credentials(with_ring(environ, "Talkative"), pytest.fail)
    credentials.store(NAME, KEY)
    assert credentials.find(NAME) == Found(KEY, "keyring")


def test_one_that_crashes_is_told(environ: dict[str, str], home: Path, warnings: list[str]) -> None:
    assert Credentials(with_ring(environ, "Crashing"), warnings.append).find(NAME) is None
    assert told(warnings) == "the process that asks it ended with -6"


def test_one_that_waits_for_ever_is_ended(
    environ: dict[str, str], home: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_keyring, "_SECONDS", 2.0)
    assert Credentials(with_ring(environ, "Waiting"), warnings.append).find(NAME) is None
    assert told(warnings) == "it did not answer within 2 s"
    assert has_ended(int((home / "asked").read_text()))


def test_somebody_at_a_screen_has_time_to_type(
    environ: dict[str, str], home: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_keyring, "_SECONDS_TO_TYPE", 2.0)
    Credentials(with_ring(environ, "Waiting") | {"DISPLAY": ":0"}, warnings.append).find(NAME)
    assert told(warnings) == "it did not answer within 2 s"


def test_to_forget_complains_when_it_cannot_be_asked(environ: dict[str, str], home: Path, warnings: list[str]) -> None:
    with pytest.raises(CredentialError, match=r"^the system keyring cannot be used \(.*\), and swarm-api-key may "):
        Credentials(with_ring(environ, "Crashing"), warnings.append).forget(NAME)


def test_the_credentials_of_the_environment_are_not_given_to_it(environ: dict[str, str], home: Path) -> None:
    given = with_ring(environ, "Ring") | dict.fromkeys(VARIABLES.values(), "canary")
    Credentials(given, pytest.fail).store(NAME, KEY)
    assert "canary" not in (home / "environ.json").read_text()


def test_no_value_is_an_argument_of_its_process(environ: dict[str, str], home: Path) -> None:
    Credentials(with_ring(environ, "Ring"), pytest.fail).store(NAME, KEY)
    assert KEY in (home / "Ring.json").read_text()
    assert KEY not in (home / "arguments.json").read_text()
