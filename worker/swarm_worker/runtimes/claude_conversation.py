"""A conversation with Claude Code, from the prompt until there is nothing left to do."""

import asyncio
import uuid
from asyncio import Queue, Task
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import suppress
from typing import Any

from claude_agent_sdk import (
    ClaudeSDKClient,
    ConversationResetMessage,
    Message,
    ResultMessage,
    StreamEvent,
    SystemMessage,
)

from swarm_api.redaction import Redactor
from swarm_api.worker import LogReport, Report, ResultReport, SessionReport, WorkOrder
from swarm_worker.runtimes import Place
from swarm_worker.runtimes.claude import Signal
from swarm_worker.runtimes.claude_opening import Opening, open_conversation
from swarm_worker.runtimes.claude_outcome import crash, outcome
from swarm_worker.runtimes.claude_session import HubSession
from swarm_worker.runtimes.claude_transcript import Transcript
from swarm_worker.runtimes.claude_usage import Meter

INTERRUPT_GRACE = 1.0  # seconds that a run which is closed early has to end its tools
LAST_WORDS = 10  # lines of stderr in the message of a crash


class Conversation:
    """One run of the CLI. What is put into `inbox` is said to it, in order."""

    def __init__(self, order: WorkOrder, place: Place, inbox: "Queue[str | Signal]") -> None:
        self._order, self._place, self._inbox = order, place, inbox
        self._out: Queue[Report | Exception] = Queue()
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._redactor = Redactor([order.upstream.api_key or ""])
        self._transcript = Transcript(self._redactor)
        self._meter = Meter({})
        self._unheard: set[str] = set()  # ids of messages that no turn has taken in yet
        self._result: ResultMessage | None = None
        self._interrupted = False
        self._idle = False

    async def reports(self) -> AsyncGenerator[Report, None]:
        opening = await self._open()
        tasks: list[Task[None]] = []
        try:
            tasks = [self._begin(self._converse(opening)), self._begin(self._listen(opening.client))]
            while True:
                report = await self._out.get()
                if isinstance(report, Exception):
                    raise crash(report, self._last_words) from report
                if isinstance(report, ResultReport):
                    break
                yield report
        finally:
            await self._close(opening.client, tasks)
        for late in self._written_late():
            yield late
        yield report

    def _written_late(self) -> Iterator[Report]:
        """The last of the session is kept when the client lets go of the CLI."""
        while not self._out.empty():
            if isinstance(report := self._out.get_nowait(), SessionReport):
                yield report

    async def _open(self) -> Opening:
        try:
            return await open_conversation(self._order, self._place, self._hear_stderr, self._store())
        except Exception as error:  # the SDK raises a bare one when the CLI does not answer
            raise crash(error, self._last_words) from error

    def _store(self) -> HubSession | None:
        """Where the session is kept beside this machine's disk, if that will soon be gone."""
        if self._order.source.kind != "hub":
            return None
        kept = self._order.resume.transcript if self._order.resume else ()
        return HubSession(kept, self._out.put_nowait)

    def _begin(self, work: Coroutine[Any, Any, None]) -> Task[None]:
        """Run it beside; what it raises ends the conversation."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:
                self._out.put_nowait(error)

        return asyncio.create_task(guarded())

    async def _converse(self, opening: Opening) -> None:
        """Everything that is said to the CLI, one thing after the other."""
        client = opening.client
        self._meter = Meter(await _read_meter(client))
        if opening.note:
            self._out.put_nowait(LogReport(stream="system", text=opening.note))
        prompt = await self._say(client, opening.prompt)
        while True:
            match await self._inbox.get():
                case Signal.READ_METER:
                    self._report_usage(await _read_meter(client))
                case Signal.INTERRUPT:
                    self._interrupted = not self._unheard - {prompt}
                    await client.interrupt()
                case str(message):
                    await self._say(client, message)

    async def _say(self, client: ClaudeSDKClient, text: str) -> str:
        """Its id, by which the CLI tells that a turn has taken it in."""
        number = str(uuid.uuid4())
        self._unheard.add(number)
        message = {"role": "user", "content": text}
        await client.query(_one({"type": "user", "message": message, "parent_tool_use_id": None, "uuid": number}))
        return number

    async def _listen(self, client: ClaudeSDKClient) -> None:
        async for message in client.receive_messages():
            for report in self._transcript.reports(message):
                self._out.put_nowait(report)
            self._note(message)
            if self._result and self._over(message):
                self._report_usage(self._result.model_usage or {})
                self._out.put_nowait(outcome(self._result, self._transcript.turns, self._interrupted, self._redactor))
                return
        raise EOFError("it ended without a result")

    def _note(self, message: Message) -> None:
        match message:
            case StreamEvent(event={"type": "message_stop"}):
                self._inbox.put_nowait(Signal.READ_METER)
            case SystemMessage(subtype="task_progress"):
                self._inbox.put_nowait(Signal.READ_METER)  # a subagent streams nothing
            case SystemMessage(subtype="session_state_changed", data={"state": state}):
                self._idle = state == "idle"
            case SystemMessage(data={"user_message_uuids": list(heard)}):
                self._unheard.difference_update(heard)
            case ResultMessage():
                self._result = message
                self._unheard.difference_update(message.user_message_uuids or [])
            case ConversationResetMessage():
                self._meter.restart()

    def _over(self, message: Message) -> bool:
        if self._interrupted and isinstance(message, ResultMessage):
            return True
        return self._idle and not self._unheard

    def _report_usage(self, model_usage: Mapping[str, Any]) -> None:
        for report in self._meter.reports(model_usage):
            self._out.put_nowait(report)

    def _hear_stderr(self, line: str) -> None:
        self._last_words.append(line)
        self._out.put_nowait(LogReport(stream="stderr", text=line))

    async def _close(self, client: ClaudeSDKClient, tasks: list[Task[None]]) -> None:
        """The CLI goes on until its turn is over when it merely loses us, so a turn is interrupted first."""
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if not self._idle:
            with suppress(Exception):  # it may be gone, or not answer any more: then it is ended by force
                await asyncio.wait_for(client.interrupt(), INTERRUPT_GRACE)
        await client.disconnect()


async def _read_meter(client: ClaudeSDKClient) -> Mapping[str, Any]:
    """What the session used, for each model. The SDK has no word of its own for this request."""
    request = {"subtype": "get_usage", "skip_behaviors": True}
    answer = await client._query._send_control_request(request)  # type: ignore[union-attr]
    usage: Mapping[str, Any] = answer["session"]["model_usage"]
    return usage


async def _one(message: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    yield message
