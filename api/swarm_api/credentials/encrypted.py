"""`credentials.enc`, which only this user on this machine can open."""

import os
from collections.abc import Callable
from pathlib import Path

from swarm_api.credentials import private, writing
from swarm_api.credentials.errors import CredentialError


class EncryptedFile:
    """Every change reads the file, changes it and writes it whole, while no other process can."""

    def __init__(self, path: Path, identity: Callable[[], bytes]) -> None:
        self._path = path
        self._identity = identity

    def read(self) -> dict[str, str]:
        """Everything in it; nothing when there is no file. Raises `CredentialError`."""
        content = private.read(self._path)
        if content is None:
            return {}
        from swarm_api.credentials import sealed  # 25 ms, for those who have such a file

        try:
            return sealed.unseal(content, self._identity())
        except sealed.BadSeal as error:
            raise CredentialError(f"{self._path}: {error}") from None

    def put(self, name: str, value: str) -> None:
        with writing.sole_writer(self._path.parent):
            self._write({**self.read(), name: value})

    def drop(self, name: str) -> bool:
        """Whether it was there. The file goes with its last one."""
        if not os.path.lexists(self._path):
            return False
        with writing.sole_writer(self._path.parent):
            values = self.read()
            if name not in values:
                return False
            del values[name]
            if values:
                self._write(values)
            else:
                writing.remove(self._path)
            return True

    def _write(self, values: dict[str, str]) -> None:
        from swarm_api.credentials import sealed

        writing.write(self._path, sealed.seal(values, self._identity()))
