"""What an API may do instead of answering well. `after` counts the events of the stream that still go out."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Status:
    """An HTTP error."""

    code: int
    type: str = "overloaded_error"
    retry_after: int | None = None
    message: str = "as the script wants it"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def hints(self) -> Mapping[str, str]:
        """All headers of its own."""
        after = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        return {**after, **self.headers}


@dataclass(frozen=True)
class Drop:
    """The connection is closed in the middle of the stream."""

    after: int = 3


@dataclass(frozen=True)
class Reset:
    """The connection is reset; with `after` 0 before any byte of an answer."""

    after: int = 0


@dataclass(frozen=True)
class Truncate:
    """The stream ends in good order, but too early."""

    after: int = 3


@dataclass(frozen=True)
class StreamError:
    """An error event within the stream."""

    type: str = "overloaded_error"
    after: int = 3


@dataclass(frozen=True)
class Hang:
    """Silence, until the test releases it or the client goes; with `after` 0 before any byte of an answer."""

    after: int = 0


Fault = Status | Drop | Reset | Truncate | StreamError | Hang
