"""`GET /docs`: the description for people, which loads nothing from anywhere."""

import re
from html.parser import HTMLParser

import pytest

from hub.played import PlayedHub
from swarm_hub import reference
from swarm_hub.openapi import describe
from swarm_hub.routes.table import ROUTES

with_the_shared_hub = pytest.mark.asyncio(loop_scope="module")


class Page(HTMLParser):
    """What a page links to and holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links |= {value or "" for name, value in attrs if name in ("href", "src", "action", "srcset")}
        self.ids |= {value or "" for name, value in attrs if name == "id"}

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(reference.page(describe(ROUTES)))


@with_the_shared_hub
async def test_the_hub_serves_the_page(shared: PlayedHub) -> None:
    answer = await shared.get("/docs")
    assert answer.status_code == 200
    assert answer.text == reference.page(describe(ROUTES))
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.lower().startswith("<!doctype html>")


def test_it_loads_nothing_and_runs_nothing(page: Page) -> None:
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert {link for link in page.links if not link.startswith("#")} == {"openapi.json"}


@with_the_shared_hub
async def test_its_policy_forbids_it_to(shared: PlayedHub) -> None:
    answer = await shared.get("/docs")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "url(" not in answer.text
    assert "@import" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_it_shows_every_route(page: Page) -> None:
    for route in ROUTES:
        method = "GET" if route.method == "WS" else route.method
        assert re.search(rf"\b{method}\s+{re.escape(route.path)}(?![\w/{{])", page.text), route.path


def test_every_link_within_it_leads_somewhere(page: Page) -> None:
    within = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert within
    assert within <= page.ids
