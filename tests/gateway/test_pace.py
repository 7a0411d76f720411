"""While the model's provider takes no calls they wait, and when it may take some again, one tries first."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from scheduler.gate import callbacks
from scheduler.running import Time
from swarm_hub.gateway.hints import Hint
from swarm_hub.gateway.pace import AHEAD, Closed, Pace

OK = httpx.Response(200)
DAY = 86_400.0


def refused(seconds: int) -> httpx.Response:
    return httpx.Response(429, headers={"retry-after": str(seconds)})


class Calls:
    """Calls that ask for their turn, and whose answers the test gives."""

    def __init__(self, time: Time, known: float | None = None) -> None:
        """`known`: seconds that a limit of before still holds."""
        self.time = time
        self.noted: list[Hint] = []
        self.gone: list[asyncio.Future[httpx.Response]] = []
        until_ms = None if known is None else time.now_ms() + round(known * 1000)
        self.pace = Pace(time.now_ms, self._note, until_ms)
        self.asked: list[asyncio.Task[None]] = []

    async def ask(self, count: int = 1) -> None:
        """Have so many calls ask; those go that may."""
        self.asked += [asyncio.create_task(self._call()) for _ in range(count)]
        await callbacks()

    async def answer(self, index: int, answer: httpx.Response | Exception) -> None:
        """Give the nth call that went its answer."""
        if isinstance(answer, Exception):
            self.gone[index].set_exception(answer)
        else:
            self.gone[index].set_result(answer)
        await callbacks()

    async def pass_by(self, seconds: float) -> None:
        self.time.seconds += seconds
        await callbacks()

    def closed(self, index: int) -> Closed:
        """Why the nth call that asked was turned away."""
        error = self.asked[index].exception()
        assert isinstance(error, Closed)
        return error

    async def _call(self) -> None:
        async with self.pace.turn() as turn:
            self.gone.append(asyncio.get_running_loop().create_future())
            await turn.heard(await self.gone[-1])

    async def _note(self, hint: Hint) -> None:
        self.noted.append(hint)


@pytest.fixture
async def calls(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Calls]:
    """In a time that only the test moves on."""
    time = Time()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", time.loop_time)
    calls = Calls(time)
    yield calls
    for task in calls.asked:
        task.cancel()
    await asyncio.gather(*calls.asked, return_exceptions=True)


async def test_calls_go_side_by_side_while_no_limit_is_known(calls: Calls) -> None:
    await calls.ask(20)
    assert len(calls.gone) == 20


async def test_calls_wait_for_the_end_of_a_limit(calls: Calls) -> None:
    await calls.ask()
    await calls.answer(0, refused(60))
    await calls.ask()
    await calls.pass_by(59)
    assert len(calls.gone) == 1
    await calls.pass_by(1.1)
    assert len(calls.gone) == 2


async def test_after_a_limit_one_goes_first_and_the_others_follow_its_answer(calls: Calls) -> None:
    await calls.ask()
    await calls.answer(0, refused(60))
    await calls.ask(10)
    await calls.pass_by(61)
    await calls.ask(10)
    assert len(calls.gone) == 2, "the first, and one that tries"
    await calls.answer(1, OK)
    assert len(calls.gone) == 21


async def test_when_the_first_one_is_refused_the_others_wait_again(calls: Calls) -> None:
    await calls.ask()
    await calls.answer(0, refused(60))
    await calls.ask(10)
    await calls.pass_by(61)
    await calls.answer(1, refused(30))
    await calls.pass_by(29)
    assert len(calls.gone) == 2
    await calls.pass_by(2)
    assert len(calls.gone) == 3


async def test_when_the_first_one_gets_no_answer_another_tries(calls: Calls) -> None:
    await calls.ask()
    await calls.answer(0, refused(60))
    await calls.ask(10)
    await calls.pass_by(61)
    await calls.answer(1, ConnectionError())
    assert len(calls.gone) == 3


async def test_when_the_first_ones_answer_does_not_begin_another_tries(calls: Calls) -> None:
    """An agent may ask for an answer of minutes that comes in one piece: it must not hold up all others."""
    await calls.ask()
    await calls.answer(0, refused(60))
    await calls.ask(3)
    await calls.pass_by(60)
    assert len(calls.gone) == 2
    await calls.pass_by(AHEAD - 1)
    assert len(calls.gone) == 2
    await calls.pass_by(2)
    assert len(calls.gone) == 3
    await calls.answer(2, OK)
    assert len(calls.gone) == 4


async def test_when_the_first_ones_runtime_leaves_another_tries(calls: Calls) -> None:
    await calls.ask()
    await calls.answer(0, refused(60))
    await calls.ask(2)
    await calls.pass_by(61)
    calls.gone[1].cancel()
    await callbacks()
    assert len(calls.gone) == 3


async def test_any_answer_but_a_refusal_lets_the_others_go(calls: Calls) -> None:
    await calls.ask()
    await calls.answer(0, refused(60))
    await calls.ask(10)
    await calls.pass_by(61)
    await calls.answer(1, httpx.Response(529))
    assert len(calls.gone) == 11


async def test_an_answer_from_before_the_limit_does_not_end_it(calls: Calls) -> None:
    await calls.ask(2)
    await calls.answer(0, refused(60))
    await calls.answer(1, OK)
    await calls.ask(2)
    assert len(calls.gone) == 2
    await calls.pass_by(61)
    assert len(calls.gone) == 3


async def test_a_shorter_hint_does_not_shorten_a_limit(calls: Calls) -> None:
    await calls.ask(2)
    await calls.answer(0, refused(60))
    await calls.answer(1, refused(5))
    await calls.ask()
    await calls.pass_by(30)
    assert len(calls.gone) == 2
    assert len(calls.noted) == 1


async def test_nobody_waits_for_a_long_limit(calls: Calls) -> None:
    await calls.ask()
    await calls.answer(0, refused(301))
    await calls.ask()
    assert calls.closed(1).long
    assert calls.closed(1).until_ms == calls.time.now_ms() + 301_000


async def test_those_who_wait_for_a_limit_that_becomes_long_wait_no_more(calls: Calls) -> None:
    await calls.ask(2)
    await calls.answer(0, refused(60))
    await calls.ask()
    await calls.answer(1, refused(3_600))
    await calls.pass_by(6)
    assert calls.closed(2).long


async def test_nobody_waits_for_ever_for_limits_that_follow_one_another(calls: Calls) -> None:
    await calls.ask()
    await calls.answer(0, refused(200))
    await calls.ask(2)
    await calls.pass_by(201)
    await calls.answer(1, refused(200))
    await calls.pass_by(158)
    assert not calls.asked[2].done()
    await calls.pass_by(2)
    assert not calls.closed(2).long


async def test_a_machine_that_slept_through_a_limit_goes_on_at_once(calls: Calls) -> None:
    await calls.ask()
    await calls.answer(0, refused(290))
    await calls.ask()
    calls.time.asleep += DAY
    await calls.pass_by(5.1)
    assert len(calls.gone) == 2


async def test_a_limit_that_is_known_from_before_holds(calls: Calls) -> None:
    later = Calls(calls.time, known=60)
    await later.ask(3)
    assert later.gone == []
    await later.pass_by(61)
    assert len(later.gone) == 1
    await later.answer(0, OK)
    assert len(later.gone) == 3
    for answer in later.gone[1:]:
        answer.set_result(OK)
    await asyncio.gather(*later.asked)
