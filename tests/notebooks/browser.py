"""A real browser on a real JupyterLab: what a user clicks and sees there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, sync_playwright

from notebooks.lab import Lab

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 30_000  # milliseconds for what is to be seen
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip


@contextmanager
def browser_page() -> Iterator[Page]:
    """An empty page. Skips where there is no browser, but for CI, which has one."""
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip(f"there is no {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


def run_all(page: Page, lab: Lab, notebook: str) -> Locator:
    """Open a notebook and run all of its cells; the notebook, as soon as they have begun to run."""
    page.goto(f"{lab.url}/lab/tree/{notebook}.ipynb?token={lab.token}&reset")
    panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    panel.locator(".jp-CodeCell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # before that, running asks which kernel is meant
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator(".lm-Menu-item[data-command='runmenu:run-all']").click()
    return panel
