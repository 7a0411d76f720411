"""The file of KEY=value lines that somebody wrote."""

from pathlib import Path

import pytest

from credentials.examples import EXAMPLES
from swarm_api.credentials import CredentialError, Credentials, Found

FLY = EXAMPLES["fly-api-token"]
KEY = EXAMPLES["anthropic-api-key"]


@pytest.fixture
def plain(folder: Path) -> Path:
    path = folder / "credentials"
    path.touch(mode=0o600)
    return path


@pytest.mark.parametrize(
    "line",
    [
        "{}={}", "{} = {} ", "export {}={}", "export  {}='{}'", '{}="{}"', '{}="{}" # mine', "{}={} # mine",
        "  {}={}\r", "\ufeff{}={}", "# mine\n\n{}={}", "OTHER=1\n{}={}", "{0}=older\n{0}={1}", "{}={}\n#",
    ],
)  # fmt: skip
def test_a_line_is_read(credentials: Credentials, plain: Path, line: str) -> None:
    plain.write_text(line.format("FLY_API_TOKEN", FLY))
    assert credentials.find("fly-api-token") == Found(FLY, "plain file")


def test_the_lines_of_the_documents_are_read(credentials: Credentials, plain: Path) -> None:
    plain.write_text(f"# Mode: 600 (owner read/write only)\nANTHROPIC_API_KEY={KEY}\nFLY_API_TOKEN={FLY}\n")
    assert credentials.find("anthropic-api-key") == Found(KEY, "plain file")
    assert credentials.find("fly-api-token") == Found(FLY, "plain file")


@pytest.mark.parametrize("line", ["", "#{}={}", "{}=", "{}=''", "{}= # none", "X{}={}"])
def test_a_line_that_sets_nothing_is_none(credentials: Credentials, plain: Path, line: str) -> None:
    plain.write_text(line.format("FLY_API_TOKEN", FLY))
    assert credentials.find("fly-api-token") is None


@pytest.mark.parametrize(
    "line", [KEY, f"FLY_API_TOKEN: {FLY}", f"FLY_API_TOKEN='{FLY}", f"FLY_API_TOKEN='{FLY}'x", f"FLY_API_TOKEN={FLY}\0",
             f"=={FLY}", f"FLY_API_TOKEN={FLY}\x1b[2J"]
)  # fmt: skip
def test_a_line_that_is_no_setting_is_refused_by_its_number(credentials: Credentials, plain: Path, line: str) -> None:
    plain.write_text(f"# one\n{line}\n")
    with pytest.raises(CredentialError) as refused:
        credentials.find("fly-api-token")
    assert str(refused.value) == f"{plain}: line 2 is no KEY=value; write it again"


def test_bytes_that_are_no_text_are_refused(credentials: Credentials, plain: Path) -> None:
    plain.write_bytes(b"A=\xff")
    with pytest.raises(CredentialError, match="byte 2 is not UTF-8"):
        credentials.find("fly-api-token")


def test_two_stores_of_a_process_warn_once(environ: dict[str, str], plain: Path) -> None:
    plain.write_text(f"ANTHROPIC_API_KEY={KEY}\nFLY_API_TOKEN={FLY}\n")
    told: list[str] = []
    for _ in range(2):
        store = Credentials(environ, told.append)
        store.find("anthropic-api-key")
        store.find("fly-api-token")
    assert told == [f"{plain}: credentials stand here in plain text; `swarm setup` stores them safely"]


def test_a_file_that_was_not_needed_is_not_warned_of(
    credentials: Credentials, plain: Path, warnings: list[str]
) -> None:
    plain.write_text(f"FLY_API_TOKEN={FLY}\n")
    credentials.find("anthropic-api-key")
    assert warnings == []


def test_finding_leaves_the_file_as_it_is(credentials: Credentials, plain: Path) -> None:
    plain.write_text(text := f"export FLY_API_TOKEN='{FLY}' # mine")
    credentials.find("fly-api-token")
    assert plain.read_text() == text
