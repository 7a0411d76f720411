"""SECURITY.md names tests that there are."""

import re

import pytest

from frame.tree import ROOT

PAGE = (ROOT / "SECURITY.md").read_text()
CHECKLIST = PAGE.partition("\n## Checklist\n")[2]


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))))
def test_a_test_that_the_page_names_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_every_line_of_the_checklist_is_shown_by_a_test() -> None:
    rows = [line for line in CHECKLIST.splitlines() if line.startswith("|")][2:]
    assert rows
    assert [row for row in rows if "`tests/" not in row.rsplit("|", 2)[1]] == []
