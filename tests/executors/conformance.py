"""What every executor does, wherever its workers run.

An executor's own tests have a class that inherits `Conformance` and a fixture `place` that gives a `Place`.
"""

import asyncio
import json
from typing import Protocol

import pytest

from executors.waiting import until_ended
from swarm_api import ids
from swarm_executors.protocol import Executor, Handle, Launch, StartFailed

HUB = "hub-under-test"


class Place(Protocol):
    """A place where workers run. Its workers have a child each; asked to stop, they save their work and end."""

    def executor(self) -> Executor:
        """A new executor, which knows no more than one of a restarted hub."""

    def stubborn(self) -> Executor:
        """One whose workers do not listen when asked to stop."""

    def broken(self) -> Executor:
        """One whose workers cannot be started."""

    async def is_ready(self, handle: Handle) -> None:
        """Wait until the worker runs, and its child too."""

    def starts(self, agent_id: str) -> int:
        """How many workers were ever started for the agent."""

    def is_running(self, agent_id: str) -> bool:
        """Whether anything of the agent runs."""

    def has_saved(self, agent_id: str) -> bool:
        """Whether a worker was asked to stop, and heard it."""

    def finish(self, handle: Handle, exit_code: int) -> None:
        """Let the worker end by itself."""

    def lose(self, handle: Handle) -> None:
        """Let the place end the worker and forget it."""

    def unknown(self) -> Handle:
        """The handle of a worker that this place never had."""


def launch(executor: Executor, hub_id: str = HUB) -> Launch:
    agent_id = ids.new_agent_id(executor.name)
    return Launch(agent_id, hub_id, hub_url="http://127.0.0.1:3000", token="a-token", tier="light")


class Conformance:
    async def test_a_started_worker_is_alive(self, place: Place) -> None:
        executor = place.executor()
        handle = await executor.start(launch(executor))
        assert (await executor.poll(handle)).state == "alive"

    async def test_starting_twice_gives_one_worker(self, place: Place) -> None:
        executor = place.executor()
        order = launch(executor)
        handle = await executor.start(order)
        await place.is_ready(handle)
        assert await executor.start(order) == handle
        assert place.starts(order.agent_id) == 1

    async def test_starting_many_times_at_once_gives_one_worker(self, place: Place) -> None:
        executors = [place.executor(), place.executor()]
        order = launch(executors[0])
        handles = await asyncio.gather(*(executor.start(order) for executor in executors * 4))
        await place.is_ready(handles[0])
        assert all(handle == handles[0] for handle in handles)
        assert place.starts(order.agent_id) == 1

    async def test_a_hub_that_lost_the_handle_gets_the_same_worker(self, place: Place) -> None:
        before = place.executor()
        order = launch(before)
        handle = await before.start(order)
        await before.aclose()
        await place.is_ready(handle)
        assert await place.executor().start(order) == handle
        assert place.starts(order.agent_id) == 1

    async def test_an_ended_worker_is_not_started_again(self, place: Place) -> None:
        executor = place.executor()
        order = launch(executor)
        handle = await executor.start(order)
        await place.is_ready(handle)
        await executor.stop(handle, grace=10)
        again = await executor.start(order)
        assert (await executor.poll(again)).state == "exited"
        assert place.starts(order.agent_id) == 1

    async def test_a_handle_survives_json_and_a_restart(self, place: Place) -> None:
        before = place.executor()
        handle = json.loads(json.dumps(await before.start(launch(before))))
        await before.aclose()
        assert (await place.executor().poll(handle)).state == "alive"

    async def test_what_cannot_start_says_so_and_names_the_agent(self, place: Place) -> None:
        executor = place.broken()
        order = launch(executor)
        with pytest.raises(StartFailed, match=order.agent_id):
            await executor.start(order)

    @pytest.mark.parametrize("exit_code", [0, 3])
    async def test_a_worker_that_ended_has_exited_with_its_code(self, place: Place, exit_code: int) -> None:
        executor = place.executor()
        handle = await executor.start(launch(executor))
        await place.is_ready(handle)
        place.finish(handle, exit_code)
        await until_ended(executor, handle)
        first, second = await executor.poll(handle), await executor.poll(handle)
        assert (first.state, first.exit_code) == ("exited", exit_code)
        assert second == first

    async def test_nothing_of_an_ended_worker_runs_on(self, place: Place) -> None:
        executor = place.executor()
        order = launch(executor)
        handle = await executor.start(order)
        await place.is_ready(handle)
        place.finish(handle, 0)
        await until_ended(executor, handle)
        assert not place.is_running(order.agent_id)

    async def test_a_worker_that_its_place_forgot_is_lost(self, place: Place) -> None:
        executor = place.executor()
        handle = await executor.start(launch(executor))
        await place.is_ready(handle)
        place.lose(handle)
        await until_ended(executor, handle)
        assert (await executor.poll(handle)).state == "lost"

    async def test_a_worker_that_its_place_never_had_is_lost(self, place: Place) -> None:
        assert (await place.executor().poll(place.unknown())).state == "lost"

    async def test_a_stopped_worker_saves_its_work_first(self, place: Place) -> None:
        executor = place.executor()
        order = launch(executor)
        handle = await executor.start(order)
        await place.is_ready(handle)
        await executor.stop(handle, grace=20)
        assert place.has_saved(order.agent_id)
        assert not place.is_running(order.agent_id)

    async def test_a_worker_that_does_not_listen_is_killed(self, place: Place) -> None:
        executor = place.stubborn()
        order = launch(executor)
        handle = await executor.start(order)
        await place.is_ready(handle)
        await executor.stop(handle, grace=0.1)
        assert not place.is_running(order.agent_id)
        assert (await executor.poll(handle)).state == "exited"

    async def test_a_restarted_hub_stops_a_worker(self, place: Place) -> None:
        before = place.executor()
        order = launch(before)
        handle = await before.start(order)
        await place.is_ready(handle)
        await before.aclose()
        await place.executor().stop(handle, grace=20)
        assert place.has_saved(order.agent_id)
        assert not place.is_running(order.agent_id)

    async def test_stopping_again_and_at_once_does_nothing_more(self, place: Place) -> None:
        executor = place.executor()
        handle = await executor.start(launch(executor))
        await asyncio.gather(executor.stop(handle, grace=5), executor.stop(handle, grace=5))
        await executor.stop(handle, grace=5)
        assert (await executor.poll(handle)).state == "exited"

    async def test_stopping_an_unknown_worker_does_nothing(self, place: Place) -> None:
        await place.executor().stop(place.unknown(), grace=5)

    async def test_stopping_one_worker_leaves_the_others(self, place: Place) -> None:
        executor = place.executor()
        one, other = [await executor.start(launch(executor)) for _ in range(2)]
        await executor.stop(one, grace=5)
        assert (await executor.poll(other)).state == "alive"

    async def test_the_list_has_the_running_workers_of_this_hub_alone(self, place: Place) -> None:
        before = place.executor()
        running, ended = [await before.start(launch(before)) for _ in range(2)]
        await before.start(launch(before, hub_id="another-hub"))
        await before.stop(ended, grace=5)
        await before.aclose()
        assert await place.executor().list(HUB) == [running]

    async def test_the_list_of_an_empty_place_is_empty(self, place: Place) -> None:
        assert await place.executor().list(HUB) == []

    async def test_workers_go_on_when_the_executor_is_closed(self, place: Place) -> None:
        executor = place.executor()
        order = launch(executor)
        handle = await executor.start(order)
        await place.is_ready(handle)
        await executor.aclose()
        assert place.is_running(order.agent_id)
        assert not place.has_saved(order.agent_id)
