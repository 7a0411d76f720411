"""The line to the hub: reports out, control back, for as long as it takes."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType

from swarm_api.wire import Refused, Unreachable, Wire
from swarm_api.worker import Ack, Control, from_wire
from swarm_worker.backoff import delays
from swarm_worker.claim import REFUSALS
from swarm_worker.launch import Launch
from swarm_worker.outbox import Outbox
from swarm_worker.spool import Rewound

BATCH_REPORTS, BATCH_BYTES = 500, 1_000_000
GATHER = 0.02
"""Seconds in which reports come together before they are sent: a hundred lines cost the hub little more than one."""
WAIT = 10
"""Seconds the hub may hold back the answer to an empty batch until there is control. Such a batch is the heartbeat."""
TIMEOUT = 30.0
QUICK = 0.5
"""An empty batch answered within these seconds, without control, was not held back: do not ask again at once."""
NO_ROOM = 1.0
"""Seconds until a full disk is tried again."""
UNREADABLE = frozenset({400, 413, 422})


class Fenced(Exception):
    """The hub has turned this worker away: the task is somebody else's, or nobody's. What it says counts no more."""


class Link:
    """Opened by `async with`. `act` is called once for each control, in order; `fenced` is set when it is over."""

    def __init__(self, launch: Launch, wire: Wire, outbox: Outbox, act: Callable[[Control], None]) -> None:
        self.fenced = asyncio.Event()
        self._launch = launch
        self._outbox = outbox
        self._act = act
        self._seen = 0
        self.token = launch.token
        self._outgoing = wire
        self._incoming = self._wire(launch.token)

    async def __aenter__(self) -> "Link":
        self._sender = asyncio.create_task(self._send(), name="send")
        self._listener = asyncio.create_task(self._listen(), name="listen")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.hang_up()
        self._sender.cancel()
        self._outgoing.close()
        await asyncio.wait({self._sender, self._listener})

    def hang_up(self) -> None:
        """Hear no more. To be done before the result is sent, after which the hub answers that we are not current."""
        self._listener.cancel()
        self._incoming.close()

    async def deliver(self) -> None:
        """Wait until the hub has stored every report. Raises `Fenced`."""
        emptied = asyncio.ensure_future(self._outbox.emptied())
        try:
            await asyncio.wait({emptied, self._sender}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            emptied.cancel()
        if self._sender.done():
            self._sender.result()
            raise Fenced

    async def _send(self) -> None:
        count, pause = BATCH_REPORTS, delays()
        while True:
            reports = await self._gather(count)
            wire = self._outgoing
            try:
                ack = await self._call(wire, reports, 0)
                self._take(ack)
                count, pause = min(BATCH_REPORTS, count * 2), delays()
                continue
            except (Unreachable, ValueError, TypeError):
                pass  # no hub, or something else at its address
            except Rewound:
                return self._fence()
            except Refused as refusal:
                if refusal.status in REFUSALS and wire is self._outgoing:
                    return self._fence()
                if refusal.status in UNREADABLE:
                    if len(reports) == 1:
                        self._outbox.excuse(reports[0], str(refusal))
                    count = max(1, len(reports) // 2)
            finally:
                self._retire(wire, self._outgoing)
            await asyncio.sleep(next(pause))

    async def _gather(self, count: int) -> list[bytes]:
        while True:
            await self._outbox.news.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER):
                    await self._outbox.urgent.wait()
            if reports := self._outbox.batch(count, BATCH_BYTES):
                return reports
            if self._outbox.news.is_set():
                await asyncio.sleep(NO_ROOM)

    async def _listen(self) -> None:
        loop, pause = asyncio.get_running_loop(), delays()
        while True:
            wire, asked = self._incoming, loop.time()
            try:
                ack = await self._call(wire, (), WAIT)
                self._control(ack)
                if ack.control or loop.time() - asked > QUICK:
                    pause = delays()
                    continue
            except (Unreachable, ValueError, TypeError):
                pass  # no hub, or something else at its address
            except Refused as refusal:
                if refusal.status in REFUSALS and wire is self._incoming:
                    return self._fence()
            finally:
                self._retire(wire, self._incoming)
            await asyncio.sleep(next(pause))

    async def _call(self, wire: Wire, reports: Sequence[bytes], wait: int) -> Ack:
        body = b'{"reports":[%b],"seenControl":%d}' % (b",".join(reports), self._seen)
        path = f"/worker/v1/agents/{self._launch.agent_id}/reports?wait={wait}"
        return from_wire(Ack, await asyncio.to_thread(wire.call, "POST", path, body))

    def _take(self, ack: Ack) -> None:
        self._outbox.acknowledge(ack.stored)
        self._control(ack)

    def _control(self, ack: Ack) -> None:
        """Both connections may bring the same control."""
        for control in ack.control:
            if control.c <= self._seen:
                continue
            self._seen = control.c
            if control.kind == "token" and control.text:
                self._outbox.redactor.learn(control.text)
                self.token = control.text
                self._outgoing, self._incoming = self._wire(control.text), self._wire(control.text)
            else:
                self._act(control)

    def _retire(self, used: Wire, current: Wire) -> None:
        """Close a connection that a new token has replaced while it was in use."""
        if used is not current:
            used.close()

    def _fence(self) -> None:
        self.fenced.set()

    def _wire(self, token: str) -> Wire:
        return Wire(self._launch.hub_url, token, TIMEOUT, insecure=True)  # as the claim was made
