"""The files of the archive: each holds the events of one stretch of the journal, whole, and is never changed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = "archive"  # in the hub's data folder
EVENTS = "events-*.parquet"
NONE = "events-none.parquet"
"""Holds no events, so that there is something to read before there is an archive."""
UNFINISHED = ".unfinished"
STRANGE = ".of-another-journal"
_NAME = re.compile(r"events-(\d{12})-(\d{12})\.parquet(\.unfinished)?")


class Part(NamedTuple):
    """Events `first` to `last`."""

    first: int
    last: int
    finished: bool = True

    @property
    def name(self) -> str:
        return f"events-{self.first:012d}-{self.last:012d}.parquet{'' if self.finished else UNFINISHED}"


def parts_in(folder: Path) -> Iterator[Part]:
    for path in sorted(folder.iterdir()):
        if found := _NAME.fullmatch(path.name):
            yield Part(int(found[1]), int(found[2]), not found[3])
