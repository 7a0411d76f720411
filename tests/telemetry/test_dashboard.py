"""The dashboard shows what a hub tells, and nothing that it does not."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from frame.tree import ROOT
from telemetry.exposed import Exposed, expose

DASHBOARD = json.loads((ROOT / "deploy/grafana/claude-swarm.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
OF_A_SCRAPE = {"job", "instance"}  # Prometheus adds these
SELECTOR = re.compile(r"([a-z_]+)\{([^}]*)\}")
MATCHER = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"[^"]*"')
GROUPING = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
KNOWN = {"sum", "max", "by", "rate", "increase", "histogram_quantile", "topk"}
PROMTOOL = shutil.which("promtool")
UNITS = {"short", "s", "percentunit", "currencyUSD", "reqps", "cps", "bytes"}  # of Grafana's own


def expressions() -> Iterator[tuple[str, dict[str, Any]]]:
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"], panel


def titled(panel: dict[str, Any]) -> str:
    return str(panel["title"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exposed(tmp_path_factory: pytest.TempPathFactory) -> Exposed:
    return await expose(tmp_path_factory.mktemp("exposed"))


def test_every_metric_and_label_is_one_that_a_hub_tells(exposed: Exposed) -> None:
    series = exposed.series()
    for expression, panel in expressions():
        labels: set[str] = set()
        for name, matchers in SELECTOR.findall(expression):
            assert name in series, f"{titled(panel)}: {name}"
            own = series[name] | OF_A_SCRAPE
            assert set(MATCHER.findall(matchers)) <= own, f"{titled(panel)}: {matchers}"
            labels |= own
        for grouping in GROUPING.findall(expression):
            assert {label.strip() for label in grouping.split(",")} <= labels, f"{titled(panel)}: {grouping}"


def test_every_value_that_is_picked_is_one_that_a_hub_tells(exposed: Exposed) -> None:
    told = {value for family in exposed.families() for sample in family.samples for value in sample.labels.values()}
    for expression, panel in expressions():
        for name, picked in re.findall(r'([a-z_]+)\s*(?:=~|!=|=)\s*"([^"$]*)"', expression):
            assert set(picked.split("|")) <= told, f"{titled(panel)}: {name}"


def test_nothing_in_an_expression_is_without_a_hub_to_pick() -> None:
    for expression, panel in expressions():
        bare = SELECTOR.sub("", GROUPING.sub("by", re.sub(r"\[[^\]]*\]", "", expression)))
        assert set(re.findall(r"[a-z_]+", bare)) <= KNOWN, f"{titled(panel)}: {bare}"
        assert all('job=~"$job", instance=~"$instance"' in matchers for _, matchers in SELECTOR.findall(expression))


def test_every_label_in_a_legend_is_one_of_the_result() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            shown = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]))
            grouped = {label.strip() for group in GROUPING.findall(target["expr"]) for label in group.split(",")}
            assert shown <= (grouped - {"le"} or OF_A_SCRAPE), titled(panel)


@pytest.mark.parametrize("panel", PANELS, ids=titled)
def test_every_panel_says_what_it_shows_and_in_which_unit(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["datasource"]["uid"] == "${datasource}"
    assert all(target["legendFormat"] for target in panel["targets"])


def test_no_two_panels_have_one_place_title_or_number() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert taken.isdisjoint(cells), titled(panel)
        assert at["x"] + at["w"] <= 24
        taken |= cells
    for what in ("id", "title"):
        found = [panel[what] for panel in DASHBOARD["panels"]]
        assert len(found) == len(set(found)), what


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_prometheus_understands_every_expression(tmp_path: Path) -> None:
    assert PROMTOOL is not None
    plain = [expression.replace("$__rate_interval", "5m").replace("$__range", "6h") for expression, _ in expressions()]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(plain)]
    file = tmp_path / "rules.json"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    run = subprocess.run([PROMTOOL, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
