"""How long to wait before asking a hub again that did not answer."""

from collections.abc import Iterator

LONGEST = 5.0


def delays() -> Iterator[float]:
    """Seconds before each further try: none at first (a kept connection may just have been closed), then more."""
    yield 0.0
    from random import uniform  # most workers never come here, and it costs some milliseconds

    ceiling = 0.1
    while True:
        yield uniform(ceiling / 2, ceiling)  # noqa: S311  # nosec B311  # spread, not secret
        ceiling = min(LONGEST, ceiling * 2)
