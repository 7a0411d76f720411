"""The credential store: every place in its order, and what moves between them."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import NamedTuple

from swarm_api.config import config_file
from swarm_api.credentials.encrypted import EncryptedFile
from swarm_api.credentials.errors import CredentialError
from swarm_api.credentials.machine import identity
from swarm_api.credentials.names import NAMES, VARIABLES
from swarm_api.credentials.plain import PlainFile
from swarm_api.credentials.system_keyring import SystemKeyring


class Found(NamedTuple):
    """A credential, and where it was: `environment`, `keyring`, `encrypted file` or `plain file`."""

    value: str
    origin: str

    def __repr__(self) -> str:
        """Without the value: what is printed while looking for a fault ends in logs."""
        return f"Found(origin={self.origin!r})"


class Credentials:
    """Blocking, and cheap to make: nothing is opened or imported until it is needed.

    `warn` is given each warning once in a process, whatever number of stores tell it.
    """

    def __init__(self, environ: Mapping[str, str], warn: Callable[[str], None]) -> None:
        config = config_file(environ)
        self._environ = environ
        self._warn = partial(_tell, warn)
        self._keyring = SystemKeyring(environ, self._warn)
        self._encrypted = EncryptedFile(config.with_name("credentials.enc"), identity)
        self._plain = PlainFile(config.with_name("credentials"))

    def find(self, name: str) -> Found | None:
        """The credential, where it is set first. Raises `CredentialError` for a file that must not be trusted."""
        return self._look([_known(name)]).get(name)

    def origins(self) -> dict[str, str | None]:
        """Every name, and where it is set first. Raises `CredentialError`, as `find` does."""
        found = self._look(NAMES)
        return {name: found[name].origin if name in found else None for name in NAMES}

    def store(self, name: str, value: str) -> str:
        """Into the keyring, else into the encrypted file; answers which. Older copies elsewhere go.

        Raises `CredentialError` for a value of the wrong form, and when it could not be stored.
        """
        from swarm_api.credentials.formats import check  # for those who store

        check(_known(name), value)
        if self._keyring.put(name, value):
            self._drop_older(name, (self._encrypted, self._plain))
            return "keyring"
        self._encrypted.put(name, value)
        self._drop_older(name, (self._plain,))
        return "encrypted file"

    def forget(self, name: str) -> bool:
        """Remove it from every place but the environment; whether it was in one.

        Raises `CredentialError` when it may still be in one; every other was seen to.
        """
        _known(name)
        removed, faults = False, []
        for place in (self._keyring, self._encrypted, self._plain):
            try:
                removed |= place.drop(name)
            except CredentialError as error:
                faults.append(str(error))
        if faults:
            raise CredentialError("; ".join(faults))
        return removed

    def _look(self, names: Iterable[str]) -> dict[str, Found]:
        found: dict[str, Found] = {}
        wanted = list(names)
        for origin, read in self._places():
            values = read(wanted)
            found |= {name: Found(values[name], origin) for name in wanted if name in values}
            wanted = [name for name in wanted if name not in found]
            if not wanted:
                break
        return found

    def _places(self) -> list[tuple[str, Callable[[list[str]], dict[str, str]]]]:
        return [
            ("environment", self._set),
            ("keyring", self._keyring.read),
            ("encrypted file", lambda _: self._encrypted.read()),
            ("plain file", self._read_plain),
        ]

    def _set(self, names: list[str]) -> dict[str, str]:
        values = {name: self._environ.get(VARIABLES[name], "").strip() for name in names}
        return {name: value for name, value in values.items() if value}

    def _read_plain(self, names: list[str]) -> dict[str, str]:
        values = self._plain.read()
        if values.keys() & set(names):
            self._warn(f"{self._plain.path}: credentials stand here in plain text; `swarm setup` stores them safely")
        return values

    def _drop_older(self, name: str, places: Iterable[EncryptedFile | PlainFile]) -> None:
        for place in places:
            try:
                place.drop(name)
            except CredentialError as error:
                self._warn(f"{name} is stored, but an older copy may remain: {error}")


def _known(name: str) -> str:
    # What was given is not repeated: it may be the value, put in the wrong place.
    if name not in VARIABLES:
        raise CredentialError(f"no credential has this name; there are {', '.join(NAMES)}")
    return name


@cache
def _tell(listener: Callable[[str], None], warning: str) -> None:
    """Once for each listener and text."""
    listener(warning)
