"""Who the machine and the user are."""

import os
import sys
from pathlib import Path

import pytest

from credentials.examples import EXAMPLES
from swarm_api.credentials import CredentialError, Credentials, machine

ID = "0123456789abcdef0123456789abcdef"
IOREG = """
+-o Root  <class IORegistryEntry, id 0x100000100, retain 31>
  +-o J314sAP  <class IOPlatformExpertDevice, id 0x100000251, registered, matched, active, busy 0 (120 ms), retain 42>
      {
        "manufacturer" = <"Apple Inc.">
        "IOPlatformSerialNumber" = "C02XXXXXXXXX"
        "IOPlatformUUID" = "6A1C2D3E-4F50-5162-8374-95A6B7C8D9E0"
        "IOBusyInterest" = "IOCommand is not serializable"
      }
"""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="where the id stands in a file")


@pytest.mark.parametrize("useless", ["", "uninitialized\n", "0" * 32, ID[:31], ID.upper(), "é" * 32])
def test_the_second_file_serves_where_the_first_has_no_id(tmp_path: Path, useless: str) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(useless)
    second.write_text(f"{ID}\n")
    assert machine.linux_id([tmp_path / "missing", first, second]) == ID


def test_the_registry_of_a_mac_names_it() -> None:
    assert machine.platform_uuid(IOREG) == "6A1C2D3E-4F50-5162-8374-95A6B7C8D9E0"
    assert machine.platform_uuid("") is None


@on_linux
def test_machine_and_user_make_the_identity(machine_id: Path) -> None:
    machine_id.write_text(ID)
    assert machine.identity() == f"{ID}:{os.geteuid()}".encode()


@on_linux
def test_a_machine_without_an_id_says_what_serves_instead(credentials: Credentials, machine_id: Path) -> None:
    machine_id.unlink()
    with pytest.raises(CredentialError, match=r"^this machine has no id, .*; set the credential's variable, or "):
        credentials.store("github-token", EXAMPLES["github-token"])


@on_linux
def test_variables_and_the_plain_file_need_no_id(
    credentials: Credentials, environ: dict[str, str], machine_id: Path
) -> None:
    machine_id.unlink()
    environ["GITHUB_TOKEN"] = "x"
    assert credentials.origins()["github-token"] == "environment"


@on_linux
def test_what_another_machine_stored_is_refused_as_such(credentials: Credentials, machine_id: Path) -> None:
    credentials.store("github-token", EXAMPLES["github-token"])
    machine_id.write_text(ID)
    with pytest.raises(CredentialError, match=r"credentials\.enc: was written on another machine or by another user; "):
        credentials.find("github-token")
