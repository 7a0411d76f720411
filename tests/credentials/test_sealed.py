"""The bytes of the encrypted file, and every way in which they can be wrong."""

import base64
import hashlib
import json
import struct
from collections.abc import Callable

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from credentials.examples import EXAMPLES
from swarm_api.credentials.sealed import BadSeal, seal, unseal

HERE = b"0123456789abcdef0123456789abcdef:1000"
DAMAGED = "^is damaged or was tampered with; delete it and store the credentials again$"
CUT_SHORT = "^is cut short; delete it and store the credentials again$"
OF_VERSION_1 = base64.b64decode(
    "c3dhcm0tY3JlZHMKAAEAAACbMz2+p0ZbBYR9wt1Y6+lr1qAxUKUYotUavVMvF/8Bfh9tx6UggrpEYcMabvakX6eVvuuWrXiuEjAN"
    "Lxybg10pm1qnxi9a8yIx00kLNKqnkONpMLmAaclT75VbOgrDmEzaDvI/UKet4I6OX4N3p01ey1NJu9gpUX7s4GFB6e+cjupDDDSy"
    "E5VYyyA="
)
LENGTH = range(14, 18)
REGIONS = {"magic": 0, "version": 12, "salt": 18, "nonce": 34, "fingerprint": 46, "text": 62}


@pytest.fixture(scope="module")
def content() -> bytes:
    return seal(EXAMPLES, HERE)


def forged(content: bytes, change: Callable[[bytearray], None]) -> bytes:
    """Changed by somebody who sets the digest right again."""
    changed = bytearray(content[:-32])
    change(changed)
    return bytes(changed) + hashlib.sha256(changed).digest()


def flipped(content: bytes, at: int, bit: int = 1) -> bytes:
    changed = bytearray(content)
    changed[at] ^= bit
    return bytes(changed)


def test_what_is_sealed_is_unsealed(content: bytes) -> None:
    assert unseal(content, HERE) == EXAMPLES


def test_what_the_first_version_wrote_is_read_for_ever() -> None:
    assert unseal(OF_VERSION_1, HERE) == {"github-token": "made by the first version"}


def test_the_header_is_authenticated_with_the_text(content: bytes) -> None:
    """Opened here by the published parameters alone."""
    secret = hashlib.scrypt(HERE, salt=content[18:34], n=2**15, r=8, p=1, maxmem=2**26, dklen=48)
    cipher, nonce, sealed = AESGCM(secret[:32]), content[34:46], content[62:-32]
    assert json.loads(cipher.decrypt(nonce, sealed, content[:62])) == EXAMPLES
    with pytest.raises(InvalidTag):
        cipher.decrypt(nonce, sealed, None)


def test_no_credential_can_be_read_in_it(content: bytes) -> None:
    assert [value for value in (*EXAMPLES, *EXAMPLES.values()) if value.encode() in content] == []


def test_neither_machine_nor_user_can_be_read_in_it(content: bytes) -> None:
    assert HERE not in content
    assert hashlib.sha256(HERE).digest()[:8] not in content


def test_two_files_of_the_same_have_nothing_but_their_frame_in_common(content: bytes) -> None:
    other = seal(EXAMPLES, HERE)
    assert other[:18] == content[:18]
    assert {other[at : at + 12] for at in (18, 34, 46, 62)} & {
        content[at : at + 12] for at in (18, 34, 46, 62)
    } == set()


@pytest.mark.parametrize("bit", [0x01, 0x80])
def test_every_byte_that_is_changed_is_noticed(content: bytes, bit: int) -> None:
    for at in range(len(content)):
        with pytest.raises(
            BadSeal, match=CUT_SHORT if at in LENGTH and flipped(content, at, bit) > content else DAMAGED
        ):
            unseal(flipped(content, at, bit), HERE)


def test_every_length_below_the_whole_is_cut_short(content: bytes) -> None:
    for length in range(len(content)):
        with pytest.raises(BadSeal, match=CUT_SHORT):
            unseal(content[:length], HERE)


def test_what_is_appended_is_noticed(content: bytes) -> None:
    with pytest.raises(BadSeal, match=DAMAGED):
        unseal(content + b"\n", HERE)


@pytest.mark.parametrize("content", [b"ANTHROPIC_API_KEY=x\n", b"{}", b"\0" * 100, b"x" * 200])
def test_what_was_never_such_a_file_is_refused(content: bytes) -> None:
    with pytest.raises(BadSeal, match=DAMAGED):
        unseal(content, HERE)


@pytest.mark.parametrize(
    "identity", [b"fedcba9876543210fedcba9876543210:1000", b"0123456789abcdef0123456789abcdef:1001"]
)
def test_another_machine_or_user_is_told_as_such(content: bytes, identity: bytes) -> None:
    with pytest.raises(BadSeal, match=r"^was written on another machine or by another user; .* again here$"):
        unseal(content, identity)


@pytest.mark.parametrize("region", ["nonce", "text"])
def test_tampering_is_told_when_the_digest_was_set_right(content: bytes, region: str) -> None:
    with pytest.raises(BadSeal, match=r"^was tampered with; "):
        unseal(forged(content, lambda changed: flip(changed, REGIONS[region])), HERE)


@pytest.mark.parametrize("region", ["salt", "fingerprint"])
def test_nothing_opens_what_was_forged_to_come_from_elsewhere(content: bytes, region: str) -> None:
    with pytest.raises(BadSeal, match=r"^was written on another machine "):
        unseal(forged(content, lambda changed: flip(changed, REGIONS[region])), HERE)


def test_the_tag_of_the_cipher_is_checked(content: bytes) -> None:
    with pytest.raises(BadSeal, match=r"^was tampered with; "):
        unseal(forged(content, lambda changed: flip(changed, -1)), HERE)


def test_a_newer_version_is_told_as_such(content: bytes) -> None:
    with pytest.raises(BadSeal, match=r"^was written by a newer version \(format 2, this one reads 1\); upgrade "):
        unseal(forged(content, lambda changed: struct.pack_into(">H", changed, 12, 2)), HERE)


@pytest.mark.parametrize("length", range(50, 110, 10))
def test_a_short_file_with_a_right_frame_is_refused(content: bytes, length: int) -> None:
    def shorten(changed: bytearray) -> None:
        del changed[length - 32 :]
        struct.pack_into(">I", changed, 14, length)

    with pytest.raises(BadSeal, match=DAMAGED):
        unseal(forged(content, shorten), HERE)


def flip(changed: bytearray, at: int) -> None:
    changed[at] ^= 1
