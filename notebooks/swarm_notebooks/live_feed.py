"""Follows a hub's journal in a thread of its own, through restarts and renewed tokens, and keeps a board up to date."""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from swarm_api.client import HubClient
from swarm_api.errors import SwarmError
from swarm_api.source import Source
from swarm_notebooks.live_board import ENDED, MOST, Board

OFTEN = 0.1  # seconds between two pictures, at least
TICK = 1.0  # seconds after which what runs is looked at again: what it uses is no event
_SOON, _LATE = 0.2, 5.0  # seconds between two tries to connect
_MANY = 20  # changed tasks from which on a list of them all is less to ask for
_GONE, _REFUSED, _FORBIDDEN = 4410, 4401, 4403
_LARGEST = 16 * 1024 * 1024  # bytes of a message

Paint = Callable[[Board, str, bool], None]


class Feed:
    """`paint(board, sentence, trouble)` is called in the feed's thread, at most ten times a second."""

    def __init__(self, url: str, source: Source, insecure: bool, paint: Paint) -> None:
        self.cursor: int | None = None  # the newest event that was heard; none: begin with a snapshot
        self._url, self._source, self._insecure, self._paint = url, source, insecure, paint
        self._board = Board()
        self._said = ("connecting …", False)
        self._changed: set[str] = set()
        self._all = False  # so much changed that all is asked for again
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="swarm-live", daemon=True)
        self._began = threading.Event()
        self._thread.start()
        self._began.wait()

    def close(self) -> None:
        """Stop following; nothing is painted afterwards."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # it ended by itself meanwhile
                self._loop.call_soon_threadsafe(self._work.cancel)
            self._thread.join()

    def do(self, action: Callable[[HubClient], Coroutine[Any, Any, Any]], said: str) -> None:
        """Ask the hub for something, without waiting for it. `said`: what is shown once it was done."""
        self._loop.call_soon_threadsafe(lambda: self._group.create_task(self._act(action, said)))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._work = self._loop.create_task(self._live())
        try:
            self._loop.run_until_complete(self._work)
        except asyncio.CancelledError:
            pass
        except Exception as error:  # nobody else would hear of it
            self._paint(self._board, f"stopped by an error of its own: {error!r}", True)
            raise
        finally:
            self._began.set()
            self._loop.close()

    async def _live(self) -> None:
        self._dirty = asyncio.Event()
        async with (
            HubClient(self._url, self._source, insecure=self._insecure) as self._client,
            asyncio.TaskGroup() as self._group,
        ):
            self._group.create_task(self._follow())
            self._group.create_task(self._keep_up())
            self._began.set()

    async def _act(self, action: Callable[[HubClient], Coroutine[Any, Any, Any]], said: str) -> None:
        try:
            await action(self._client)
            self._say(said)
        except SwarmError as error:
            self._say(error.detail, bad=True)

    async def _follow(self) -> None:
        """For ever: a connection that ends is made again, behind the last event that was heard."""
        pause = _SOON
        while True:
            before = self.cursor
            try:
                await self._connection()
            except (SwarmError, OSError, TimeoutError, WebSocketException) as error:
                self._say(await self._trouble(error), bad=True)
            pause = _SOON if self.cursor != before else min(_LATE, 2 * pause)
            await asyncio.sleep(pause)

    async def _connection(self) -> None:
        if self.cursor is None:
            await self._begin()
        self._sent = await asyncio.to_thread(self._source.token)
        headers = {"Authorization": f"Bearer {self._sent}"} if self._sent else {}
        address = "ws" + self._url.removeprefix("http") + f"/ws?after={self.cursor}"
        async with connect(
            address, additional_headers=headers, max_size=_LARGEST, proxy=None, close_timeout=_SOON
        ) as socket:
            self._say(f"live · {self._url}")
            await self._hear(socket)

    async def _hear(self, socket: ClientConnection) -> None:
        while True:
            event = json.loads(await socket.recv())
            self.cursor = int(event["seq"])
            if task_id := event["payload"].get("taskId"):
                self._changed.add(task_id)
            self._dirty.set()

    async def _trouble(self, error: Exception) -> str:
        """What is said about the end of a connection, and what follows from it."""
        if not isinstance(error, ConnectionClosed):
            why = error.detail if isinstance(error, SwarmError) else "it does not answer"
            return f"the hub cannot be followed: {why}; trying again …"
        code = error.rcvd.code if error.rcvd else None
        if code == _GONE:  # too long away, or another hub's journal: begin anew
            self.cursor = None
            return "the journal has moved on; looking at all of it again …"
        if code == _REFUSED and await asyncio.to_thread(self._source.renewed, self._sent) is None:
            return "the credential has ended: run `swarm login` in a terminal; trying again …"
        if code == _FORBIDDEN:
            return "the credential may not read tasks; trying again …"
        return "the connection was lost; resuming …"

    async def _begin(self) -> None:
        """A snapshot, and the event to follow from: what happens meanwhile is heard again, and does no harm."""
        active = await self._client.tasks(status=["running", "pending"], limit=MOST)
        ended = await self._client.tasks(status=["completed", "failed", "cancelled"], limit=ENDED)
        self._board.begin(active.tasks, ended.tasks)
        self._board.listed = active.total
        self.cursor = active.seq
        self._dirty.set()

    async def _keep_up(self) -> None:
        """Ask for what was heard to have changed, many changes together; then paint."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._dirty.wait()
            self._dirty.clear()
            try:
                await self._look()
            except SwarmError:
                await asyncio.sleep(_SOON)  # `_follow` tells of it, and goes on from where it was
            self._paint(self._board, *self._said)
            await asyncio.sleep(OFTEN)

    async def _look(self) -> None:
        if self.cursor is None:
            return
        changed, self._changed = self._changed, set()
        try:
            await self._ask_for(changed)
        except SwarmError:
            self._changed |= changed
            raise

    async def _ask_for(self, changed: set[str]) -> None:
        if len(changed) > _MANY or (changed and self._board.left_out):
            active = await self._client.tasks(status=["running", "pending"], limit=MOST)
            self._board.listed = active.total
            for task in (*active.tasks, *(await self._client.tasks(limit=MOST)).tasks):
                self._board.put(task)
                changed.discard(task.id)
            changed = self._board.known(changed)  # of the others, those have ended that nobody has seen
        for task_id in sorted(changed):
            self._board.put(await self._client.task(task_id))
        if self._board.active:
            self._board.see((await self._client.agents(active=True)).agents)
        self._board.budget = await self._client.budget()

    def _say(self, text: str, *, bad: bool = False) -> None:
        self._said = (text, bad)
        self._dirty.set()
