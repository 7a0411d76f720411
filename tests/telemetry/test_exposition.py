"""What Prometheus is told is right, and told as Prometheus wants it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.conftest import MODEL
from swarm_hub.counts import MODELS, OTHERS, CallCounts, Durations
from swarm_hub.gateway.ledger import Answered
from swarm_hub.prices import Metered
from telemetry.exposed import Exposed, expose

PROMTOOL = shutil.which("promtool")
BASE_UNITS = {"milliseconds": "seconds", "ms": "seconds", "minutes": "seconds", "hours": "seconds", "days": "seconds",
              "kilobytes": "bytes", "megabytes": "bytes", "kb": "bytes", "mb": "bytes", "percent": "ratio",
              "cents": "usd"}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exposed(tmp_path_factory: pytest.TempPathFactory) -> Exposed:
    return await expose(tmp_path_factory.mktemp("exposed"))


def test_tasks_that_ended_are_counted_by_how_and_how_long(exposed: Exposed) -> None:
    def count(status: str) -> float:
        return exposed.value("swarm_task_duration_seconds_count", status=status)

    assert (count("completed"), count("failed"), count("cancelled")) == (2, 1, 0)
    assert exposed.value("swarm_task_duration_seconds_bucket", status="completed", le="10") == 2
    assert exposed.value("swarm_task_duration_seconds_bucket", status="completed", le="+Inf") == 2
    assert 0 < exposed.value("swarm_task_duration_seconds_sum", status="completed") < 20


def test_events_are_counted_by_type(exposed: Exposed) -> None:
    assert exposed.value("swarm_events_by_type_total", type="task_created") == 4
    assert exposed.value("swarm_events_by_type_total", type="task_failed") == 1
    assert exposed.value("swarm_events_by_type_total", type="agent_lost") == 0  # so that the first is seen as one more


def test_what_waits_is_told_with_its_reason(exposed: Exposed) -> None:
    assert exposed.value("swarm_queue_blocked", reason="hold") == 1
    assert exposed.value("swarm_queue_ready") == exposed.value("swarm_queue_oldest_ready_seconds") == 0


def test_calls_are_counted_by_the_status_of_their_answer(exposed: Exposed) -> None:
    assert exposed.value("swarm_model_calls_total", status="200") == 1
    assert exposed.value("swarm_model_calls_total", status="400") == 1
    assert exposed.value("swarm_model_call_duration_seconds_count") == 2
    assert exposed.value("swarm_model_first_piece_seconds_count") == 2


def test_tokens_are_counted_by_model_and_kind(exposed: Exposed) -> None:
    told = {
        kind: exposed.value("swarm_model_tokens_total", model=MODEL, kind=kind)
        for kind in ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
    }
    assert told == {"input": 100, "output": 20, "cache_read": 7, "cache_write_5m": 5, "cache_write_1h": 3}


def test_what_was_refused_is_counted_with_its_reason(exposed: Exposed) -> None:
    assert exposed.value("swarm_model_refused_total", kind="invalid_request_error") == 1
    assert exposed.value("swarm_credentials_refused_total", reason="the API key is not valid") == 1


def test_requests_are_counted_by_route_and_status(exposed: Exposed) -> None:
    assert exposed.value("swarm_http_requests_total", route="/api/tasks", status="201") == 4
    assert exposed.value("swarm_http_requests_total", route="/api/tasks", status="401") == 1
    assert exposed.value("swarm_http_requests_total", route="/api/tasks/{id}", status="404") == 1


def test_agents_cannot_make_more_and_more_series_by_the_models_they_name() -> None:
    calls = CallCounts()
    for number in range(3 * MODELS):
        calls.answered(Answered(Metered(input=1), model=f"model-{number}", status=200), 1)
    assert len(calls.tokens) == MODELS + 1
    assert calls.tokens[OTHERS, "input"] == 2 * MODELS


def test_a_duration_on_a_bound_counts_as_up_to_it() -> None:
    durations = Durations((1, 10))
    for seconds in (0.5, 1, 1.5, 10, 11):
        durations.add(seconds)
    assert list(durations.up_to()) == [(1, 2), (10, 4), (float("inf"), 5)]
    assert durations.sum == 24


def test_everything_has_its_help_and_its_type(exposed: Exposed) -> None:
    for family in exposed.families():
        assert family.documentation.endswith("."), family.name
        assert family.type in ("counter", "gauge", "histogram"), family.name


def test_names_are_as_promtool_wants_them(exposed: Exposed) -> None:
    for family in exposed.families():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name), family.name
        words = family.name.split("_")
        assert BASE_UNITS.keys().isdisjoint(words), family.name
        assert words[-1] not in ("count", "sum", "bucket", "total"), family.name
        assert {"counter", "gauge", "histogram", "summary"}.isdisjoint(words), family.name
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples), family.name


def test_labels_are_as_promtool_wants_them(exposed: Exposed) -> None:
    for family in exposed.families():
        for sample in family.samples:
            own = set(sample.labels) - ({"le"} if family.type == "histogram" else set())
            assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in own), sample
            assert own.isdisjoint({"le", "quantile", "job", "instance"}), sample


def test_no_series_is_told_twice(exposed: Exposed) -> None:
    lines = [line.rpartition(" ")[0] for line in exposed.text.splitlines() if not line.startswith("#")]
    assert len(lines) == len(set(lines)) > 50


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_promtool_finds_nothing(exposed: Exposed, tmp_path: Path) -> None:
    assert PROMTOOL is not None
    run = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=exposed.text, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout + run.stderr) == (0, "")
