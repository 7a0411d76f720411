"""What the hub acknowledges is durable, whatever the disk does; and a disk that does not do is said in one line."""

import json
from pathlib import Path

import httpx

from hub.disks import Disk, disk
from hub.played import PlayedHub, played_hub
from hub.problems import assert_problem
from hub.reporting import numbered, texts
from hub.starting import BUSY, CONFIG, assert_refused, refused_start
from hubs import AUTHORIZED, HubProcess

__all__ = ["disk"]  # the fixture


async def submit_until_refused(hub: PlayedHub, prompt: str) -> list[str]:
    """The ids of the tasks that were acknowledged before the disk was full."""
    taken = []
    while (answer := await hub.post("/api/tasks", {"prompt": prompt, "hold": True})).status_code == 201:
        taken.append(answer.json()["id"])
    assert_problem(answer, 503, "storage_failed")
    assert answer.headers["retry-after"]
    return taken


async def fill(hub: PlayedHub, disk: Disk) -> list[str]:
    """Fill the disk to the last page; what fitted into the last pages of the hub's own files is acknowledged."""
    disk.fill()
    taken = await submit_until_refused(hub, "x" * 50_000)
    return taken + await submit_until_refused(hub, "Go")


async def ids(hub: PlayedHub) -> set[str]:
    return {task.id async for task in hub.client.all_tasks()}


async def test_on_a_full_disk_nothing_is_acknowledged_and_nothing_acknowledged_is_lost(disk: Disk) -> None:
    async with played_hub(disk.folder) as hub:
        taken = [(await hub.client.submit({"prompt": "before", "hold": True})).id]
        taken += await fill(hub, disk)
        assert await ids(hub) == set(taken)
    disk.free()
    async with played_hub(disk.folder) as hub:
        assert await ids(hub) == set(taken)


async def test_with_space_freed_the_hub_goes_on_by_itself(disk: Disk) -> None:
    async with played_hub(disk.folder) as hub:
        taken = await fill(hub, disk)
        disk.free()
        task = await hub.client.submit({"prompt": "after", "hold": True})
        assert await ids(hub) == {*taken, task.id}


async def test_a_refused_submission_is_no_event_and_leaves_no_gap(disk: Disk) -> None:
    async with played_hub(disk.folder) as hub:
        await fill(hub, disk)
        disk.free()
        task = await hub.client.submit({"prompt": "after", "hold": True})
        seqs = [event.seq for event in (await hub.client.event_history(limit=1_000)).events]
        assert seqs == list(range(task.seq, 0, -1))


async def test_a_full_disk_shows_in_the_hubs_health(disk: Disk) -> None:
    async with played_hub(disk.folder) as hub:
        assert (await hub.client.health()).status == "ok"
        await fill(hub, disk)
        answer = await hub.get("/health")
        assert (answer.status_code, answer.json()["status"]) == (503, "degraded")
        assert (await hub.get("/health/live")).status_code == 200
        disk.free()
        assert (await hub.client.health()).status == "ok"


async def test_a_worker_sends_again_what_a_full_disk_refused(disk: Disk) -> None:
    async with played_hub(disk.folder) as hub:
        task, worker = await hub.running()
        await fill(hub, disk)
        lines = [{**line, "text": "x" * 30_000} for line in numbered(*range(1, 101))]
        assert_problem(await worker.send(lines), 503, "storage_failed")
        disk.free()
        assert (await worker.send(numbered(*range(1, 101)))).json()["stored"] == 100
        assert await texts(hub, task.id) == [str(n) for n in range(1, 101)]


def test_what_could_not_be_stored_is_in_the_log_with_the_id_of_its_request(disk: Disk, tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir = disk.folder / "data"
    hub.start()
    disk.fill()
    body, named = {"prompt": "x" * 50_000, "hold": True}, {"X-Request-Id": "mine-1"}
    with httpx.Client(base_url=hub.url, headers=AUTHORIZED, trust_env=False) as http:
        while http.post("/api/tasks", json=body, headers=named).status_code == 201:
            pass
    hub.stop()
    lines = [json.loads(line) for line in hub.log.read_text().splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line["requestId"] == "mine-1"]
    assert (line["level"], line["logger"]) == ("warning", "swarm_hub.problems")
    assert "full" in line["message"]


def test_a_full_disk_at_the_start_is_said_in_one_line(disk: Disk, tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir = disk.folder / "data"
    environment = hub.environment
    disk.fill()
    refusal = refused_start(environment)
    assert refusal.code in (CONFIG, BUSY)
    assert len(refusal.said) == 1, refusal.said
    assert "space" in refusal.said[0] or "full" in refusal.said[0]


def test_a_disk_that_is_full_when_a_hub_starts_again_is_said_in_one_line(disk: Disk, tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir = disk.folder / "data"
    hub.start()
    hub.kill()
    disk.fill()
    refusal = refused_start(hub.environment)
    assert refusal.code in (CONFIG, BUSY)
    assert len(refusal.said) == 1, refusal.said


def test_a_read_only_data_folder_is_said_in_one_line(disk: Disk, tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir = disk.folder / "data"
    hub.start()
    hub.stop()
    disk.make_read_only()
    assert_refused(hub.environment, CONFIG, "SWARM_DATA_DIR", str(hub.data_dir), "Read-only file system")


def test_a_data_folder_that_is_a_file_is_said_in_one_line(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir.write_text("not a folder")
    assert_refused(hub.environment, CONFIG, "SWARM_DATA_DIR", str(hub.data_dir))
