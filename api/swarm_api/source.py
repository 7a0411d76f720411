"""Where a client's credential comes from, as those see it who send it."""

from typing import Protocol


class Source(Protocol):
    """Gives the credential for a request. Its methods may block, and may be called by several threads at once."""

    def token(self) -> str | None:
        """The credential to send now; None: none. Raises `NotAuthenticated` where there was one that has run out."""

    def renewed(self, refused: str | None) -> str | None:
        """Another credential than the one that the hub refused; None: there is none."""

    def rest(self) -> float | None:
        """Seconds after which `token` should be asked again, even if nothing is sent, or it may run out.

        None: there is no need to.
        """


class Fixed:
    """One credential, or none, for ever."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def token(self) -> str | None:
        return self._token

    def renewed(self, refused: str | None) -> None:  # noqa: ARG002  # there is no other
        return None

    def rest(self) -> None:
        return None


def source_of(token: str | Source | None) -> Source:
    return Fixed(token) if token is None or isinstance(token, str) else token
