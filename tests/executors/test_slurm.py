"""What a job says of its worker, by each generation of Slurm's API, and what its refusals mean."""

import json
from typing import Any

import httpx
import pytest

from executors.conformance import HUB
from swarm_executors.protocol import Ambiguous, Gone, Launch, NoCapacity, Observation, Refused, Shut, Throttled
from swarm_executors.slurm import SlurmExecutor
from swarm_executors.slurm_errors import AlreadyEnded, judge
from swarm_executors.slurm_jobs import Cluster, handle_of, observe, submission

ORDER = Launch("slurm-agent-00c0ffee", HUB, "http://127.0.0.1:3000", "the-token", "standard")


@pytest.mark.parametrize(("status", "code"), [
    (0, 0), (768, 3), (1280, 5), (15, 143), (9, 137), (32512, 127), (None, None), ("3:0", None),
    ({"status": "SUCCESS", "return_code": 0}, 0), ({"return_code": 3, "signal": {"signal_id": 0}}, 3),
    ({"return_code": {"set": True, "infinite": False, "number": 5}, "signal": {"id": {"set": False, "number": 0}}}, 5),
    ({"return_code": {"set": True, "number": 0}, "signal": {"id": {"set": True, "number": 15}, "name": "TERM"}}, 143),
])  # fmt: skip
def test_an_exit_status_is_decoded(status: Any, code: int | None) -> None:
    assert observe({"job_state": "FAILED", "exit_code": status}).exit_code == code


@pytest.mark.parametrize(("job", "seen"), [
    ({"job_state": "PENDING"}, Observation("alive")),
    ({"job_state": "COMPLETING"}, Observation("alive")),
    ({"job_state": ["RUNNING", "SIGNALING"]}, Observation("alive")),
    ({"job_state": ["COMPLETED"], "exit_code": 0}, Observation("exited", 0)),
    ({"job_state": "OUT_OF_MEMORY", "exit_code": 9},
     Observation("exited", 137, "it took more memory than its job has", "out_of_memory")),
    ({"job_state": "NODE_FAIL", "state_reason": "NodeDown", "exit_code": 0},
     Observation("lost", None, "its node is lost (NodeDown)", "host_lost")),
    ({"job_state": ["TIMEOUT"], "exit_code": 15, "state_reason": "TimeLimit"},
     Observation("exited", 143, "its job is TIMEOUT (TimeLimit)")),
    ({"job_state": "WHATEVER"}, Observation("unknown", None, "its job is 'WHATEVER'")),
])  # fmt: skip
def test_a_job_is_read_as_it_is(job: dict[str, Any], seen: Observation) -> None:
    assert observe(job) == seen


def test_a_job_runs_once_and_one_of_its_name_at_a_time() -> None:
    job = submission(ORDER, Cluster("unix:/x"))["job"]
    assert (job["no_requeue"], job["dependency"]) == (True, "singleton")
    assert (job["cpus_per_task"], job["memory_per_node"]) == (2, 2048)


def test_newer_versions_are_told_the_same_in_their_own_shape() -> None:
    job = submission(ORDER, Cluster("unix:/x", version="v0.0.41"))["job"]
    assert job["memory_per_node"] == {"set": True, "number": 2048}
    assert job["requeue"] is False
    assert "SWARM_AGENT_ID=slurm-agent-00c0ffee" in job["environment"]


def test_the_token_is_in_the_environment_alone() -> None:
    sent = submission(ORDER, Cluster("unix:/x", partition="p"))
    sent["job"].pop("environment")
    assert "the-token" not in json.dumps(sent)


def test_a_job_is_known_by_its_name() -> None:
    assert handle_of({"name": f"{HUB}-slurm-agent-00c0ffee", "job_id": 7}) == {
        "agentId": "slurm-agent-00c0ffee", "hub": HUB, "jobId": 7, "name": f"{HUB}-slurm-agent-00c0ffee",
    }  # fmt: skip
    assert handle_of({"name": "somebody's", "job_id": 7}) is None


@pytest.mark.parametrize(("status", "body", "kind"), [
    (500, {"errors": [{"error_number": 2017, "error": "Invalid job id specified"}]}, Gone),
    (500, {"errors": [{"error_number": 2021, "error": "Job/step already completing or completed"}]}, AlreadyEnded),
    (500, {"errors": [{"error_number": 2020, "error": "Job can not be altered now"}]}, Throttled),
    (500, {"errors": [{"error_number": 2000, "error": "Invalid partition name specified"}]}, Shut),
    (500, {"errors": [{"error_code": 2044, "error": "Memory required by task is not available"}]}, Refused),
    (500, {"errors": [{"error_number": 2015, "error": "Requested nodes not available"}]}, NoCapacity),
    (500, {"errors": [{"error_number": 1800, "error": "Unable to contact slurm controller"}]}, Ambiguous),
    (500, {"errors": [{"error_number": 2999, "error": "Something else"}]}, Refused),
    (500, {"errors": []}, Ambiguous), (502, None, Ambiguous), (408, None, Ambiguous), (429, {}, Throttled),
    (401, None, Shut), (404, None, Gone), (400, {}, Refused),
])  # fmt: skip
def test_each_refusal_has_its_class(status: int, body: Any, kind: type[Exception]) -> None:
    response = httpx.Response(status, json=body) if body is not None else httpx.Response(status, text="x")
    assert type(judge(response)) is kind


async def test_a_token_is_shown_with_its_user() -> None:
    executor = SlurmExecutor(Cluster("http://127.0.0.1:1", user="ada", jwt="ey.x"))
    assert await executor._headers() == {"X-SLURM-USER-NAME": "ada", "X-SLURM-USER-TOKEN": "ey.x"}
    await executor.aclose()


async def test_a_cluster_that_is_away_proves_nothing() -> None:
    from executors.slurm_place import QUICK

    executor = SlurmExecutor(Cluster("unix:/nowhere/rest.sock"), QUICK)
    seen = await executor.poll({"agentId": "x", "hub": HUB, "jobId": 1, "name": "x"})
    assert seen.state == "unknown"
    assert await executor.ready() != ""
    await executor.aclose()
