"""A collector is told everything once, whatever happens to it or to the hub, and the hub does not suffer for it."""

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.conftest import play
from hub.played import PlayedHub, Worker, played_hub
from swarm_hub.store.writer import wall_clock
from telemetry.receiver import Receiver
from telemetry.work import WHOLE, done
from waiting import until


async def test_a_hub_that_was_restarted_goes_on_with_the_trace_and_tells_nothing_twice(
    tmp_path: Path, traced: dict[str, Any], collector: Receiver
) -> None:
    async with played_hub(tmp_path, **traced) as hub:
        task, worker = await hub.running()
        await until(lambda: collector.has(task.id, "start"))
    async with played_hub(tmp_path, **traced) as hub:
        again = Worker(hub.http, hub.stage, worker.agent_id, hub.token(worker.agent_id))
        await again.finish()
        await until(lambda: collector.has(task.id, "task code"))
    async with played_hub(tmp_path, **traced) as hub:
        other = await done(hub)
        await until(lambda: collector.has(other, "task code"))
    assert sorted(span.name for span in collector.of(task.id)) == sorted(WHOLE)
    assert len({span.trace_id for span in collector.of(task.id)}) == 1


async def test_however_many_pages_it_takes_each_span_is_told_once(
    hub: PlayedHub, collector: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm_hub.traces.source.PAGE", 3)
    agents = [await play(hub) for _ in range(3)]
    await asyncio.gather(*(agent.ask("Work") for agent in agents for _ in range(3)))
    for agent in agents:
        await agent.worker.finish()
    await until(lambda: len(collector.spans) >= 21)
    told = [span.span_id for span in collector.spans]
    assert len(told) == len(set(told)) == 21


async def test_what_is_left_when_the_hub_stops_is_told(
    tmp_path: Path, traced: dict[str, Any], collector: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with played_hub(tmp_path, **traced) as hub:
        first = await done(hub)
        await until(lambda: collector.has(first, "task code"))
        monkeypatch.setattr("swarm_hub.traces.traces.EVERY", 1_000.0)
        last = await done(hub)
    assert collector.has(last, *WHOLE)


async def test_what_was_before_traces_were_asked_for_is_not_told(
    tmp_path: Path, traced: dict[str, Any], collector: Receiver
) -> None:
    async with played_hub(tmp_path, **{**traced, "otlp_endpoint": None}) as hub:
        before = await done(hub)
    async with played_hub(tmp_path, **traced) as hub:
        after = await done(hub)
        await until(lambda: collector.has(after, "task code"))
    assert collector.of(before) == []


async def test_a_collector_that_is_away_is_told_later_and_complained_of_once(
    hub: PlayedHub, collector: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    collector.refuses = 400  # the library tries that once; others it tries for ten seconds
    first = await done(hub)
    await until(lambda: collector.asked >= 3)
    assert (await hub.get("/health")).status_code == 200
    collector.refuses = None
    await until(lambda: collector.has(first, *WHOLE))

    def about_it() -> list[str]:
        return [record.getMessage() for record in caplog.records if collector.url in record.getMessage()]

    await until(lambda: len(about_it()) > 1)  # it says so when it has the answer
    said = about_it()
    assert len(said) == 2
    assert "takes no spans" in said[0]
    assert "400" in said[0]
    assert said[1].endswith("takes spans again")


async def test_what_ended_an_hour_ago_is_not_told_any_more(
    tmp_path: Path, traced: dict[str, Any], collector: Receiver
) -> None:
    collector.refuses = 400
    async with played_hub(tmp_path, **traced) as hub:
        stale = await done(hub)
        await until(lambda: collector.asked)
    collector.refuses = None
    async with played_hub(tmp_path, lambda: wall_clock() + 3_700_000, **traced) as hub:
        fresh = await done(hub)
        await until(lambda: collector.has(fresh, "task code"))
    assert collector.of(stale) == []


@pytest.mark.parametrize("how", ["hangs", "refuses"])
async def test_a_collector_that_takes_nothing_does_not_keep_a_hub_from_stopping(
    tmp_path: Path, traced: dict[str, Any], collector: Receiver, how: str
) -> None:
    setattr(collector, how, True if how == "hangs" else 503)
    async with played_hub(tmp_path, **traced) as hub:
        await done(hub)
        await until(lambda: collector.asked)
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 3
