"""The notebooks in a real JupyterLab, in a real browser, on a made-up history."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from cli.program import Swarm
from notebooks.browser import PATIENCE, browser_page, run_all
from notebooks.lab import Lab, lab


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(Swarm(tmp_path_factory.mktemp("lab")), "--sample") as shown:
        yield shown


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser_page() as page:
        yield page


def submit(shown: Lab, name: str) -> None:
    """A task on which a simulated agent pretends to work for minutes."""
    (note,) = shown.tmp.glob("claude-swarm-sample-*/data/hub.json")
    headers = {"Authorization": f"Bearer {json.loads(note.read_text())['token']}"}
    wish = {"prompt": "Wait", "name": name, "labels": {"simulate.seconds": "300"}}
    assert httpx.post(f"{shown.hub}/api/tasks", json=wish, headers=headers, trust_env=False).status_code == 201


def test_a_running_task_is_seen_and_its_button_cancels_it(shown: Lab, page: Page) -> None:
    notebook = run_all(page, shown, "live")
    submit(shown, "seen in a browser")
    row = notebook.locator(".jp-OutputArea .widget-hbox").filter(has_text="seen in a browser")
    expect(row).to_contain_text("● running", timeout=PATIENCE)
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("– cancelled", timeout=PATIENCE)
    expect(row.get_by_role("button", name="Cancel")).to_be_disabled()


def test_a_plot_follows_its_controls_without_a_cell_being_run_again(shown: Lab, page: Page) -> None:
    notebook = run_all(page, shown, "costs")
    panel = notebook.locator(".jp-OutputArea-output").filter(has=page.locator("select")).first
    plot = panel.locator("svg").first
    expect(plot).to_contain_text("claude-sonnet", timeout=PATIENCE)
    before = plot.inner_html()
    panel.locator(".widget-dropdown").filter(has_text="group by").locator("select").select_option("type")
    expect(plot).to_contain_text("review", timeout=PATIENCE)
    expect(plot).not_to_contain_text("claude-sonnet")
    assert plot.inner_html() != before
