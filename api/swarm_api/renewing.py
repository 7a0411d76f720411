"""A token that is renewed in time: one renewal, however many ask at once."""

import binascii
import json
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from swarm_api.errors import NotAuthenticated

MARGIN = 3600.0
"""Seconds before its end from which on a token is renewed; one that lives for less than two hours: from its half on."""
_SOON, _SELDOM = 1.0, 60.0  # seconds


class Claims(NamedTuple):
    """What a client reads in its own token; only the hub can tell whether it is true. Times in seconds since 1970."""

    sub: str
    scope: tuple[str, ...]
    device: str | None
    issued: float
    expires: float


def claims_of(token: str) -> Claims | None:
    """None for what is no JWT: an API key says nothing about itself."""
    try:
        body = token.split(".")[1]
        found: dict[str, Any] = json.loads(binascii.a2b_base64(body.translate(_URL_SAFE) + "=="))
        expires = float(found["exp"])
        issued = float(found.get("iat", expires - 2 * MARGIN))
        scope = tuple(str(scope) for scope in found.get("scope", ()))
        return Claims(str(found.get("sub", "")), scope, found.get("device"), issued, expires)
    except (IndexError, ValueError, KeyError, TypeError, AttributeError):
        return None


_URL_SAFE = str.maketrans("-_", "+/")


class Shelf(Protocol):
    """Where a token lies between renewals."""

    def token(self) -> str | None: ...

    def spare(self) -> str | None:
        """An API key, which serves where the token does not."""

    def keep(self, token: str) -> None:
        """Put a renewed token in the place of the last one, if that can be."""

    def alone(self) -> AbstractContextManager[None]:
        """Within it nobody else renews what lies here, in this process or another."""


class Held(NamedTuple):
    """A credential in use. `due`: when it should be renewed; `end`: when it is good no longer. None: never."""

    text: str
    due: float | None = None
    end: float | None = None

    @classmethod
    def of(cls, text: str) -> "Held":
        claims = claims_of(text)
        if claims is None:
            return cls(text)
        return cls(text, claims.expires - min(MARGIN, (claims.expires - claims.issued) / 2), claims.expires)

    def put_off(self, now: float) -> "Held":
        """To be renewed after a quarter of the time that is left: a hub that is away is not asked all the time."""
        return self if self.end is None else self._replace(due=now + (self.end - now) / 4)

    def is_due(self, now: float) -> bool:
        return self.due is not None and now >= self.due

    def is_over(self, now: float) -> bool:
        return self.end is not None and now >= self.end


class Renewing:
    """The token on a shelf as a source of credentials."""

    def __init__(
        self, shelf: Shelf, renew: Callable[[str], str | None], clock: Callable[[], float] = time.time
    ) -> None:
        """`renew` asks the hub for a new token by the old one; None when it gave none."""
        self._shelf = shelf
        self._renew = renew
        self._clock = clock
        self._lock = threading.Lock()
        self._held: Held | None = None
        self._asked = False
        self._refused: set[str | None] = set()

    def token(self) -> str | None:
        with self._lock:
            now, self._asked = self._clock(), True
            if self._held is None or self._held.is_over(now):
                self._held = self._found(now)
            if self._held is not None and self._held.is_due(now):
                self._held = self._renewed(self._held, now)
            return self._held and self._held.text

    def renewed(self, refused: str | None) -> str | None:
        with self._lock:
            if self._held is not None and self._held.text != refused:
                return self._held.text  # another one met the same refusal before
            self._refused.add(refused)
            for text in (self._shelf.token(), self._shelf.spare()):
                if text is not None and text not in self._refused and not Held.of(text).is_over(self._clock()):
                    self._held = Held.of(text)
                    return text
            return None

    def rest(self) -> float:
        held, now = self._held, self._clock()
        if not self._asked:
            return _SOON
        if held is None or held.due is None or held.is_over(now):
            return _SELDOM
        return max(0.1, held.due - now)

    def _found(self, now: float) -> Held | None:
        """What lies on the shelf now. Raises `NotAuthenticated` when all of it has run out."""
        text = self._shelf.token()
        if text is not None and not Held.of(text).is_over(now):
            return Held.of(text)
        if spare := self._shelf.spare():
            return Held(spare)
        if text is not None:
            raise NotAuthenticated("the token has expired")
        return None

    def _renewed(self, held: Held, now: float) -> Held:
        with self._shelf.alone():
            if (other := self._put_there_meanwhile(held, now)) is not None:
                return other
            fresh = self._renew(held.text)
            if fresh is None:
                return held.put_off(now)
            self._shelf.keep(fresh)
            renewed = Held.of(fresh)
            return renewed.put_off(now) if renewed.is_due(now) else renewed

    def _put_there_meanwhile(self, held: Held, now: float) -> Held | None:
        """The token that another process has renewed."""
        try:
            text = self._shelf.token()
        except NotAuthenticated:
            return None  # a store that cannot be read is told when it is needed
        if text is None or text == held.text or Held.of(text).is_due(now):
            return None
        return Held.of(text)
