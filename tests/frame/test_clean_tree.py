"""Nothing of the machine it was written on is left in the project."""

import re

import pytest

from frame.tree import ROOT, tracked

TRACES = {
    "a path of a machine": rb"(?<![\w.])/(?:home|root|work|farm|Users)/[a-z]",
    "the address of a package registry": rb"(?i)//[^\s/]*(?:pypi|pythonhosted|npmjs|debian)\.|/simpl[e]/",
    "a choice of package registry": rb"--(?:index-url|extra-index-url|find-links|trusted-host)",
}


@pytest.mark.parametrize("trace", TRACES)
def test_no_tracked_file_holds(trace: str) -> None:
    pattern = re.compile(TRACES[trace])
    held = [f"{path}: {hit.group()!r}" for path in tracked() if (hit := pattern.search((ROOT / path).read_bytes()))]
    assert held == []


def test_constraints_are_exact_versions_alone() -> None:
    line = re.compile(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+!]*(?:; [a-z_]+ .*)?")
    assert [text for text in (ROOT / "constraints.txt").read_text().splitlines() if not line.fullmatch(text)] == []
