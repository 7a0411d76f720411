"""Reports on disk, in order, until the hub has stored them: a hub may be away for longer than memory lasts."""

import os
from pathlib import Path

SHRINK = 1024 * 1024
"""Bytes from which on an emptied file is cut back."""


class Rewound(Exception):
    """The hub asks for reports that it had acknowledged and that are gone."""


class Spool:
    """A file of one encoded report a line. Nobody else reads it, and nothing of it is needed after this process."""

    def __init__(self, path: Path) -> None:
        self._writer = path.open("wb", buffering=0)
        self._reader = path.open("rb")
        path.unlink()
        self._first = 1
        """The number of the first report in the file."""
        self._offset = 0
        """Where the first report that is not stored begins."""
        self._end = 0
        self.stored = 0
        self.last = 0

    @property
    def waiting(self) -> int:
        """Bytes that the hub has not stored yet."""
        return self._end - self._offset

    def append(self, report: bytes) -> None:
        """Add a report, all of it or nothing. Raises `OSError`, on a full disk for one."""
        line = report + b"\n"
        try:
            written = self._writer.write(line)
            if written < len(line):
                raise OSError(f"wrote {written} of {len(line)} bytes")
        except OSError:
            self._writer.truncate(self._end)
            self._writer.seek(self._end)
            raise
        self._end += len(line)
        self.last += 1

    def batch(self, count: int, size: int) -> list[bytes]:
        """The first reports that are not stored: at most `count` and about `size` bytes, but at least one if any is."""
        self._reader.seek(self._offset)
        reports: list[bytes] = []
        for _ in range(min(count, self.last - self.stored)):
            line = self._reader.readline()
            size -= len(line)
            if reports and size < 0:
                break
            reports.append(line[:-1])
        return reports

    def acknowledge(self, stored: int) -> None:
        """Go on after the report with this number. Raises `Rewound` when what comes after it is gone."""
        if stored < self.stored:
            self._rewind()
        if not self.stored <= stored <= self.last:
            raise Rewound(f"the hub has {stored} reports, here are {self._first} to {self.last}")
        self._skip(stored - self.stored)
        if self.stored == self.last and self._end > SHRINK:
            self._empty()

    def close(self) -> None:
        self._reader.close()
        self._writer.close()

    def _rewind(self) -> None:
        self.stored, self._offset = self._first - 1, 0

    def _skip(self, count: int) -> None:
        self._reader.seek(self._offset)
        for _ in range(count):
            self._offset += len(self._reader.readline())
        self.stored += count

    def _empty(self) -> None:
        self._writer.truncate(0)
        self._writer.seek(0)
        self._reader.seek(0, os.SEEK_END)  # forgets what it read ahead, which a seek to the start would not
        self._first, self._offset, self._end = self.last + 1, 0, 0
