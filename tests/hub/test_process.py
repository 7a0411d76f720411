"""The hub as a process: how it starts, where it is, and how it ends."""

import asyncio
import json
import signal
import socket
import stat
import time
from collections.abc import Callable
from contextlib import aclosing, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.asyncio.client import connect

from hub.played import LIMIT
from hub.starting import BUSY, CONFIG, assert_refused, refused_start
from hubs import ADMIN_KEY, AUTHORIZED, HubProcess

Start = Callable[..., HubProcess]


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("PORT", "http", ("PORT", "'http'", "0 to 65535")), ("DATABASE_URL", "postgresql://ada:canary@db", ()),
        ("LOG_LEVEL", "loud", ("LOG_LEVEL", "'loud'", "debug, info, warning, error")),
    ],
)  # fmt: skip
def test_a_bad_setting_stops_the_start_with_78_and_one_line(
    tmp_path: Path, variable: str, value: str, named: tuple[str, ...]
) -> None:
    assert_refused(HubProcess(tmp_path, **{variable: value}).environment, CONFIG, variable, *named)


def test_a_busy_port_is_named_with_75(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_refused(HubProcess(tmp_path, PORT=port).environment, BUSY, f"127.0.0.1:{port}", "PORT")


def test_a_second_hub_on_the_same_folder_is_refused_and_the_first_goes_on(start_hub: Start) -> None:
    hub = start_hub()
    assert_refused({**hub.environment, "PORT": "0"}, BUSY, str(hub.data_dir))
    assert httpx.get(f"{hub.url}/health", trust_env=False).status_code == 200
    assert json.loads((hub.data_dir / "hub.json").read_text())["url"] == hub.url


def test_it_says_where_it_is_in_one_line(start_hub: Start) -> None:
    hub = start_hub()
    hub.stop()
    (line,) = hub.log.read_text().splitlines()
    assert line == f"claude-swarm hub 0.1.0 on {hub.url}"


def test_it_leaves_a_note_for_local_clients_while_it_runs(start_hub: Start) -> None:
    hub = start_hub()
    note = json.loads((hub.data_dir / "hub.json").read_text())
    token, expires = note.pop("token"), note.pop("tokenExpiresAt")
    assert note == {
        "pid": hub.pid, "startTime": psutil.Process(hub.pid).create_time(), "url": hub.url, "version": "0.1.0",
    }  # fmt: skip
    assert token == hub.token()
    assert timedelta(minutes=58) < datetime.fromisoformat(expires) - datetime.now(UTC) <= timedelta(hours=1)
    hub.stop()
    assert not (hub.data_dir / "hub.json").exists()


def test_all_it_keeps_is_its_owners_alone(start_hub: Start) -> None:
    hub = start_hub()
    assert stat.S_IMODE(hub.data_dir.stat().st_mode) == 0o700
    for name in ("hub.db", "hub.db-wal", "hub.db-shm", "hub.lock", "worker.secret", "jwt.secret", "hub.json"):
        assert stat.S_IMODE((hub.data_dir / name).stat().st_mode) == 0o600, name


def test_after_a_kill_it_starts_again_on_the_same_port_and_folder(start_hub: Start) -> None:
    hub = start_hub()
    task = httpx.post(
        f"{hub.url}/api/tasks", json={"prompt": "Go", "hold": True}, headers=AUTHORIZED, trust_env=False
    ).json()
    hub.kill()
    hub.start()
    again = httpx.get(f"{hub.url}/api/tasks/{task['id']}", headers=AUTHORIZED, trust_env=False)
    assert again.json() == task


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_ends_all_streams_and_leaves_with_0_within_seconds(
    start_hub: Start, number: signal.Signals
) -> None:
    hub = await asyncio.to_thread(start_hub)
    async with (
        hub.client() as client,
        httpx.AsyncClient(base_url=hub.url, headers=AUTHORIZED, trust_env=False, timeout=LIMIT) as http,
        connect(hub.url.replace("http", "ws") + "/ws?after=0", proxy=None, additional_headers=AUTHORIZED) as ws,
        aclosing(client.events(after=0)) as events,
        http.stream("GET", "/api/events", headers={"Accept": "text/event-stream"}) as sse,
    ):
        task = await client.submit({"prompt": "Go", "hold": True})
        await anext(events)
        await ws.recv()
        async with http.stream("GET", f"/api/tasks/{task.id}/logs?follow=true") as log:
            begun = time.monotonic()
            assert await asyncio.to_thread(hub.stop, number) == 0
            assert time.monotonic() - begun < 8
            await sse.aread()
            await log.aread()
        await ws.wait_closed()
    assert ws.close_code == 1012


async def test_a_stop_waits_for_nobody_who_does_not_read(start_hub: Start) -> None:
    hub = await asyncio.to_thread(start_hub)
    port = int(hub.url.rsplit(":", 1)[1])
    with closing(socket.socket()) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.connect(("127.0.0.1", port))
        deaf.sendall(
            b"GET /api/events?after=0 HTTP/1.1\r\nHost: localhost\r\n"
            + f"Authorization: Bearer {ADMIN_KEY}\r\n\r\n".encode()
        )
        async with hub.client() as client:
            for _ in range(2):
                await client.submit_batch(
                    {"prompt": "Go", "hold": True, "repo": f"o/{'r' * 4_000}"} for _ in range(1_000)
                )
        begun = time.monotonic()
        assert await asyncio.to_thread(hub.stop) == 0
        assert time.monotonic() - begun < 8


async def test_a_stop_is_no_failure_of_a_task(start_hub: Start) -> None:
    hub = await asyncio.to_thread(start_hub, MAX_PARALLEL_AGENTS="1")
    async with hub.client() as client:
        task = await client.submit({"prompt": "Go", "hold": True})
        await asyncio.to_thread(hub.stop)
        await asyncio.to_thread(hub.start)
        assert (await client.task(task.id)).status == "pending"


def test_arguments_are_refused_and_nothing_is_started(tmp_path: Path) -> None:
    refusal = refused_start(HubProcess(tmp_path).environment, "--help")
    assert refusal == (64, ["claude-swarm hub: no arguments are taken, not '--help'; settings are variables"])
    assert not (tmp_path / "data").exists()


async def test_workers_of_its_machine_reach_it_where_it_listens(start_hub: Start) -> None:
    """Its public name may lead nowhere from here."""
    hub = await asyncio.to_thread(start_hub, PUBLIC_URL="https://swarm.example")
    async with hub.client() as client:
        task = await client.submit({"prompt": '[{"say": "here"}]'})
        async with asyncio.timeout(LIMIT):
            assert (await client.wait(task.id)).status == "completed"
