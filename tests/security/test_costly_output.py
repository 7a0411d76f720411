"""What an agent prints costs the hub no more time than its length is worth, however it was made up."""

import time

import pytest

from swarm_api.redaction import Redactor

BEGIN = "-----BEGIN PRIVATE KEY-----"
LIMIT = 0.5  # seconds; a pattern that begins anew at each of them took 3


@pytest.mark.parametrize(
    "unit", [f"{BEGIN}\\nProc-Type: ", f"{BEGIN}\\nProc-Type: 4,ENCRYPTED\\n", f"{BEGIN}\\nAbcd: x"]
)
def test_private_keys_that_begin_within_the_headers_of_others(unit: str) -> None:
    text, begun = unit * (256_000 // len(unit)), time.process_time()
    Redactor().text(text)
    assert time.process_time() - begun < LIMIT


def test_a_key_with_headers_is_still_found_on_one_line() -> None:
    said = Redactor().text(f"{BEGIN}\\nProc-Type: 4,ENCRYPTED\\nDEK-Info: AES-128-CBC,A1-B2\\n\\n{'A1b2' * 16}\\n")
    assert "A1b2" not in said
