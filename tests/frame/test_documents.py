"""The documents hold together."""

import re

from frame.tree import ROOT, tracked

LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def test_every_link_between_documents_leads_somewhere() -> None:
    documents = [ROOT / path for path in tracked() if path.suffix == ".md"]
    links = [(page, target) for page in documents for target in LINK.findall(page.read_text())]
    assert [f"{page.name}: {target}" for page, target in links if not (page.parent / target).exists()] == []


def test_every_decision_is_in_their_list() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = {path.name for path in folder.glob("[0-9]*.md")}
    assert set(LINK.findall((folder / "README.md").read_text())) == pages
