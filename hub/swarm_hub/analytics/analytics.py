"""Questions to the projection. Its process is started by the first one, and started again whenever it ends."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from swarm_api.errors import InvalidInput, SwarmError, Unavailable
from swarm_hub.analytics.child import Child, Ended
from swarm_hub.analytics.files import ANSWERS, DATABASE, discard
from swarm_hub.budgets.spans import Span

log = logging.getLogger(__name__)

AT_ONCE = 4  # questions; the figures of the hub's own need no turn
SECONDS = 20.0  # for a question, from the moment that it has its turn
TURN = 10.0  # seconds that a question waits for its turn
ATTEMPTS = 2  # at a question whose process ended meanwhile
START = 10.0  # seconds that it waits for the process
FIRST_REST, LONGEST_REST, STEADY = 0.2, 30.0, 60.0  # seconds between two starts, and after which it counts as one

Format = Literal["json", "csv", "arrow", "parquet"]
_OF_THE_QUESTION = ("query_timeout", "query_out_of_memory", "answer_too_large")


class Answer(NamedTuple):
    """`file`: open, and nobody else's any more."""

    file: IO[bytes]
    rows: int
    truncated: bool
    seq: int


class Analytics:
    """Open with `async with`. The projection is followed from the first question on, in later runs of the hub too."""

    def __init__(self, data_dir: Path, time_zone: str) -> None:
        self._folder = data_dir / "analytics"
        self._database = data_dir / "hub.db"
        self._time_zone = time_zone
        self._keeping: asyncio.Task[None] | None = None
        self._child: asyncio.Future[Child] = asyncio.get_running_loop().create_future()
        self._discard = False
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> "Analytics":
        if (self._folder / DATABASE).exists():
            self._begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])

    @property
    def health(self) -> str | None:
        """None as long as nobody has asked anything."""
        if self._keeping is None:
            return None
        return "ok" if self._child.done() else "its process is being started"

    async def query(self, sql: str, parameters: Any, limit: int, format_: Format) -> Answer:
        """The rows of one SELECT, `limit` at most. Whoever is cancelled stops it.

        Raises `InvalidInput` for what cannot be asked or answered, and `Unavailable`.
        """
        await self._take_turn()
        try:
            said = await self._ask(
                {"do": "query", "sql": sql, "parameters": parameters, "limit": limit, "format": format_}, SECONDS
            )
        finally:
            self._turns.release()
        path = self._folder / ANSWERS / said["file"]
        file = path.open("rb")
        path.unlink()
        return Answer(file, said["rows"], said["truncated"], said["seq"])

    async def figures(self, period: Span, previous: Span, steps: Sequence[int]) -> dict[str, Any]:
        """Those of a period and the one before, as groups: `figures.py` says which. Raises `Unavailable`."""
        return await self._ask({"do": "figures", "period": period, "previous": previous, "steps": steps}, SECONDS)

    def rebuild(self) -> None:
        """Make the projection again from the hub's database. Questions wait until it is there."""
        self._discard = True
        self._begin()
        if self._child.done():
            self._child.result().kill()
            self._child = asyncio.get_running_loop().create_future()

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(TURN):
                await self._turns.acquire()
        except TimeoutError:
            raise Unavailable(f"{AT_ONCE} questions are being answered; ask again", code="query_busy") from None

    async def _ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        self._begin()
        for _ in range(ATTEMPTS):
            try:
                said = await (await self._running()).ask(request, seconds)
            except Ended:  # for another question's sake, say
                continue
            if "code" in said:
                raise _failure(said["code"], said["detail"])
            return said
        raise Unavailable("the process that answers questions ended", code="query_killed")

    async def _running(self) -> Child:
        try:
            return await asyncio.wait_for(asyncio.shield(self._child), START)
        except TimeoutError:
            raise Unavailable("the process that answers questions does not start", code="analytics_down") from None

    def _begin(self) -> None:
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep(), name="analytics")

    async def _keep(self) -> None:
        """Have a process run, for ever: with longer and longer rests between runs that end soon."""
        rest = FIRST_REST
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            await self._run()
            rest = FIRST_REST if loop.time() - begun > STEADY else min(2 * rest, LONGEST_REST)
            await asyncio.sleep(rest)

    async def _run(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if self._discard:
            self._discard = False
            discard(self._folder)
        try:
            child = await Child.start(self._folder, self._database, self._time_zone)
        except OSError as error:
            log.warning("the process that answers questions cannot be started: %s", error)
            return
        self._child.set_result(child)
        try:
            log.warning("the process that answers questions ended with %d; it is started again", await child.ended())
        finally:
            if self._child.done():
                self._child = asyncio.get_running_loop().create_future()
            await child.aclose()


def _failure(code: str, detail: str) -> SwarmError:
    if code == "catching_up":
        return Unavailable(detail, code=code, retryAfter=2)
    if code in _OF_THE_QUESTION:
        return InvalidInput(detail, code=code)
    if code.startswith("query_") and code != "query_failed":
        return InvalidInput.field("sql", detail, code=code)
    return SwarmError(detail, code=code)
