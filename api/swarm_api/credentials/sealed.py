"""The bytes of the encrypted file.

    magic, version, length of the file     the same in every version
    salt, nonce, fingerprint               version 1
    AES-256-GCM of a JSON object           everything above is authenticated with it
    SHA-256 of all above                   the same in every version

Key and fingerprint both come out of one scrypt of machine and user, so that the fingerprint, which tells a file from
another machine from one that was tampered with, is no quicker way to guess them. The digest keeps nobody out: it finds
damage before the fingerprint is believed.
"""

import hashlib
import json
import os
import struct
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"swarm-creds\n"
VERSION = 1

_FRAME = struct.Struct(">12sHI")
_LOCK = struct.Struct(">16s12s16s")
_DIGEST = hashlib.sha256().digest_size
_TAG = 16
# 32 MiB and 75 ms: the machine's id is random, so this only has to make trying many machines dear.
_SCRYPT = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 2**20}
_AGAIN = "delete it and store the credentials again"


class BadSeal(Exception):
    """Content that cannot be used. The text goes after the file's name."""


class _Key(NamedTuple):
    key: bytes
    fingerprint: bytes


def seal(values: dict[str, str], identity: bytes) -> bytes:
    """The content of a file that this identity alone can open. Each has a new salt, so no nonce meets a key twice."""
    salt, nonce = os.urandom(16), os.urandom(12)
    derived = _derive(identity, salt)
    text = json.dumps(values, sort_keys=True).encode()
    length = _FRAME.size + _LOCK.size + len(text) + _TAG + _DIGEST
    header = _FRAME.pack(MAGIC, VERSION, length) + _LOCK.pack(salt, nonce, derived.fingerprint)
    content = header + AESGCM(derived.key).encrypt(nonce, text, header)
    return content + hashlib.sha256(content).digest()


def unseal(content: bytes, identity: bytes) -> dict[str, str]:
    """What was sealed. Raises `BadSeal`, which tells apart: cut short, damaged, newer, another machine's, tampered."""
    _check_frame(content)
    end = _FRAME.size + _LOCK.size
    header, sealed = content[:end], content[end:-_DIGEST]
    salt, nonce, fingerprint = _LOCK.unpack_from(header, _FRAME.size)
    derived = _derive(identity, salt)
    if derived.fingerprint != fingerprint:
        raise BadSeal(f"was written on another machine or by another user; {_AGAIN} here")
    try:
        return dict(json.loads(AESGCM(derived.key).decrypt(nonce, sealed, header)))
    except InvalidTag:
        raise BadSeal(f"was tampered with; {_AGAIN}") from None


def _check_frame(content: bytes) -> None:
    if not content.startswith(MAGIC[: len(content)]):
        raise BadSeal(f"is damaged or was tampered with; {_AGAIN}")
    if len(content) < _FRAME.size or len(content) < (length := _FRAME.unpack_from(content)[2]):
        raise BadSeal(f"is cut short; {_AGAIN}")
    if len(content) != length or hashlib.sha256(content[:-_DIGEST]).digest() != content[-_DIGEST:]:
        raise BadSeal(f"is damaged or was tampered with; {_AGAIN}")
    version = _FRAME.unpack_from(content)[1]
    if version != VERSION:
        raise BadSeal(
            f"was written by a newer version (format {version}, this one reads {VERSION}); upgrade claude-swarm"
        )
    if len(content) < _FRAME.size + _LOCK.size + _TAG + _DIGEST:
        raise BadSeal(f"is damaged or was tampered with; {_AGAIN}")


def _derive(identity: bytes, salt: bytes) -> _Key:
    secret = hashlib.scrypt(identity, salt=salt, dklen=48, **_SCRYPT)
    return _Key(secret[:32], secret[32:])
