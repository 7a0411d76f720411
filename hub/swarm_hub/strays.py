"""Workers that run and that nobody looks after: adopted where their agent lives, ended where it does not."""

import asyncio
import logging
from typing import Any

from sqlalchemy import Connection, select

from swarm_api.words import LIVE
from swarm_executors.protocol import Executor, ExecutorError, Handle
from swarm_hub import endings
from swarm_hub.executors import Executors
from swarm_hub.store import schema
from swarm_hub.store.store import Store

log = logging.getLogger(__name__)
EVERY = 60.0  # seconds between two looks
a = schema.agents.c


class Strays:
    """A hub that died, or an answer that was lost, can leave a worker whose handle nobody has."""

    def __init__(self, store: Store, executors: Executors, hub_id: str) -> None:
        self._store = store
        self._executors = executors
        self._hub_id = hub_id
        self._looked_at = float("-inf")
        self._looks: set[asyncio.Task[None]] = set()

    def look(self, group: asyncio.TaskGroup) -> None:
        """Begin a look at each executor, if it is time and none is under way."""
        now = asyncio.get_running_loop().time()
        if self._looks or now - self._looked_at < EVERY:
            return
        self._looked_at = now
        for executor in self._executors:
            look = group.create_task(self._look(executor))
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)

    async def _look(self, executor: Executor) -> None:
        try:
            for handle in await executor.list(self._hub_id):
                await self._judge(executor, handle)
        except ExecutorError as error:
            log.warning("%s: strays are not looked for now: %s", executor.name, error)
        except Exception:
            log.exception("%s: looking for strays failed", executor.name)

    async def _judge(self, executor: Executor, handle: Handle) -> None:
        agent_id = handle["agentId"]
        known = await self._store.read(lambda c: _find(c, agent_id))
        if known is None or known.released:
            log.warning("%s: a worker runs that belongs to no agent; it is ended", agent_id)
            await executor.stop(handle, 0)
        elif known.handle is None and known.status in LIVE:
            await self._store.write(lambda tx: endings.keep_handle(tx, agent_id, handle))


def _find(connection: Connection, agent_id: str) -> Any:
    return connection.execute(select(a.released, a.handle, a.status).where(a.id == agent_id)).first()
