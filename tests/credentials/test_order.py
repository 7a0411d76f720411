"""Which place wins, and what moves."""

import subprocess
import sys
from pathlib import Path

import pytest

from credentials.examples import EXAMPLES, OTHER_KEY
from swarm_api.credentials import NAMES, VARIABLES, CredentialError, Credentials, Found

KEY = EXAMPLES["swarm-api-key"]


def write_plain(folder: Path, text: str) -> Path:
    path = folder / "credentials"
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_each_variable_is_its_credential(environ: dict[str, str], warnings: list[str], name: str) -> None:
    store = Credentials({**environ, VARIABLES[name]: f" {EXAMPLES[name]}\n"}, warnings.append)
    assert store.find(name) == Found(EXAMPLES[name], "environment")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_found(credentials: Credentials, name: str) -> None:
    assert credentials.store(name, EXAMPLES[name]) == "encrypted file"
    assert credentials.find(name) == Found(EXAMPLES[name], "encrypted file")


def test_nothing_is_found_where_nothing_is(credentials: Credentials, tmp_path: Path) -> None:
    assert [credentials.find(name) for name in NAMES] == [None] * len(NAMES)
    assert not (tmp_path / "home").exists()


def test_the_variable_wins_over_the_encrypted_file(credentials: Credentials, environ: dict[str, str]) -> None:
    credentials.store("swarm-api-key", KEY)
    environ["SWARM_API_KEY"] = OTHER_KEY
    assert credentials.find("swarm-api-key") == Found(OTHER_KEY, "environment")


def test_an_empty_variable_is_none(credentials: Credentials, environ: dict[str, str]) -> None:
    credentials.store("swarm-api-key", KEY)
    environ["SWARM_API_KEY"] = ""
    assert credentials.find("swarm-api-key") == Found(KEY, "encrypted file")


def test_the_encrypted_file_wins_over_the_plain_one(credentials: Credentials, folder: Path) -> None:
    credentials.store("swarm-api-key", KEY)
    write_plain(folder, f"SWARM_API_KEY={OTHER_KEY}\n")
    assert credentials.find("swarm-api-key") == Found(KEY, "encrypted file")


def test_storing_takes_the_older_copy_out_of_the_plain_file(credentials: Credentials, folder: Path) -> None:
    plain = write_plain(folder, f"# mine\nSWARM_API_KEY={OTHER_KEY}\nEDITOR=vi\n")
    credentials.store("swarm-api-key", KEY)
    assert plain.read_text() == "# mine\nEDITOR=vi\n"


def test_an_older_copy_that_cannot_be_removed_is_told(
    credentials: Credentials, folder: Path, warnings: list[str]
) -> None:
    plain = write_plain(folder, f"SWARM_API_KEY={OTHER_KEY}\n")
    plain.chmod(0o644)
    assert credentials.store("swarm-api-key", KEY) == "encrypted file"
    assert warnings == [
        f"swarm-api-key is stored, but an older copy may remain: {plain}: open to others (mode 0644); chmod 600 {plain}"
    ]


def test_origins_names_all_and_where_each_is(credentials: Credentials, environ: dict[str, str], folder: Path) -> None:
    credentials.store("swarm-api-key", KEY)
    environ["GITHUB_TOKEN"] = "x"
    write_plain(folder, f"FLY_API_TOKEN={EXAMPLES['fly-api-token']}\nGITHUB_TOKEN=y\n")
    assert credentials.origins() == {
        "anthropic-api-key": None,
        "fly-api-token": "plain file",
        "github-token": "environment",
        "orchestrator-jwt": None,
        "swarm-api-key": "encrypted file",
    }


def test_to_forget_removes_from_both_files(credentials: Credentials, environ: dict[str, str], folder: Path) -> None:
    credentials.store("swarm-api-key", KEY)
    write_plain(folder, f"SWARM_API_KEY={OTHER_KEY}\n")
    environ["SWARM_API_KEY"] = KEY
    assert credentials.forget("swarm-api-key")
    assert credentials.find("swarm-api-key") == Found(KEY, "environment")
    del environ["SWARM_API_KEY"]
    assert credentials.find("swarm-api-key") is None


def test_to_forget_leaves_the_others(credentials: Credentials) -> None:
    for name in NAMES:
        credentials.store(name, EXAMPLES[name])
    credentials.forget("swarm-api-key")
    assert [name for name, origin in credentials.origins().items() if origin is None] == ["swarm-api-key"]


def test_a_file_goes_with_its_last_credential(credentials: Credentials, folder: Path) -> None:
    credentials.store("swarm-api-key", KEY)
    write_plain(folder, f"# mine\nGITHUB_TOKEN={EXAMPLES['github-token']}\n")
    credentials.forget("swarm-api-key")
    credentials.forget("github-token")
    assert [path.name for path in folder.iterdir()] == ["credentials.lock"]


def test_to_forget_what_is_nowhere_changes_nothing(credentials: Credentials, folder: Path) -> None:
    assert not credentials.forget("swarm-api-key")
    assert list(folder.iterdir()) == []


def test_to_forget_tries_every_place_before_it_complains(credentials: Credentials, folder: Path) -> None:
    (folder / "credentials.enc").write_bytes(b"broken")
    (folder / "credentials.enc").chmod(0o600)
    plain = write_plain(folder, f"SWARM_API_KEY={KEY}\n")
    with pytest.raises(CredentialError, match=r"credentials\.enc: is damaged"):
        credentials.forget("swarm-api-key")
    assert not plain.exists()


@pytest.mark.parametrize("ask", ["find", "forget"])
def test_an_unknown_name_is_refused_without_repeating_it(credentials: Credentials, ask: str) -> None:
    """It may be the value, given in the wrong place."""
    with pytest.raises(CredentialError) as refused:
        getattr(credentials, ask)(KEY)
    assert str(refused.value) == f"no credential has this name; there are {', '.join(NAMES)}"


def test_what_was_found_does_not_show_its_value() -> None:
    assert KEY not in f"{Found(KEY, 'keyring')!r} {Found(KEY, 'keyring')!s} {[Found(KEY, 'keyring')]}"


def test_a_variable_costs_no_import(environ: dict[str, str]) -> None:
    script = """
import sys
from swarm_api.credentials import Credentials
store = Credentials({"HOME": "/nowhere", "SWARM_API_KEY": "x"}, print)
assert store.find("swarm-api-key") and store.find("github-token") is None
print(*sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    heavy = {"cryptography", "hashlib", "httpx", "keyring", "pydantic", "subprocess"}
    assert heavy & set(run.stdout.split()) == set()
