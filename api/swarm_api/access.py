"""Which credential a client sends to a hub, and where it comes from.

The environment's first; then the note of a hub that runs here; then what is stored, and that to the hub it was stored
for alone. Imports next to nothing, for `swarm status` has 60 ms.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from swarm_api.addresses import origin
from swarm_api.config import HUB_FILE, BadConfig, data_folder
from swarm_api.errors import NotAuthenticated
from swarm_api.ids import API_KEY
from swarm_api.renewing import Renewing
from swarm_api.running import RunningHub
from swarm_api.source import Fixed, Source
from swarm_api.stored import Stored, home
from swarm_api.wire import Refused, Unreachable, Wire

_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_PATIENCE = 10.0  # seconds for a renewal
_YES_NO = {"": False, "0": False, "false": False, "1": True, "true": True}


def access(url: str, environ: Mapping[str, str]) -> Source:
    """What this machine has for the hub at `url`.

    Raises `NotAuthenticated` for a variable that holds something else, and `BadConfig`.
    """
    if key := _given(environ, "SWARM_API_KEY", API_KEY, "sk_swarm_<id>_<secret>"):
        return Fixed(key)
    renewal = Renewal(url, insecure=may_be_insecure(environ))
    if token := _given(environ, "SWARM_JWT", _JWT, "a token of the hub: three parts with dots between them"):
        return Renewing(InMemory(token), renewal)
    running = RunningHub(url, data_folder(environ) / HUB_FILE)
    if running.token() is not None:
        return running
    if origin(url) == home(environ):
        return Renewing(Stored(url, environ), renewal)
    return Fixed(None)


def may_be_insecure(environ: Mapping[str, str]) -> bool:
    """Whether `SWARM_INSECURE` lets credentials travel over plain http to other machines. Raises `BadConfig`."""
    value = environ.get("SWARM_INSECURE", "")
    if value.lower() not in _YES_NO:
        raise BadConfig(f"SWARM_INSECURE is {value!r}; allowed: 1 or 0")
    return _YES_NO[value.lower()]


def _given(environ: Mapping[str, str], variable: str, form: re.Pattern[str], allowed: str) -> str | None:
    value = environ.get(variable, "").strip()
    # Another service's key, set by mistake, is not to be sent to the hub.
    if value and not form.fullmatch(value):
        raise NotAuthenticated(f"{variable} is set to something else; allowed: {allowed}", code="bad_credential")
    return value or None


class InMemory:
    """A shelf for a token that the environment gave: renewed ones are for this process alone."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token

    def spare(self) -> None:
        return None

    def keep(self, token: str) -> None:
        self._token = token

    @contextmanager
    def alone(self) -> Iterator[None]:
        yield


class Renewal:
    """Asks the hub for a new token by the old one."""

    def __init__(self, url: str, *, insecure: bool) -> None:
        self._url = url
        self._insecure = insecure

    def __call__(self, token: str) -> str | None:
        """None when the hub is away, or gives none. Raises `InsecureAddress`."""
        wire = Wire(self._url, token, _PATIENCE, insecure=self._insecure)
        try:
            fresh = wire.call("POST", "/api/auth/refresh")["token"]
        except (Unreachable, Refused, ValueError, KeyError, TypeError):
            return None
        finally:
            wire.close()
        return str(fresh)
