"""The tool that reads logs: the end of them, what holds a word, or failures alone."""

from collections import deque
from typing import Annotated

from pydantic import Field

from swarm_api.client import HubClient
from swarm_api.events import LogLine
from swarm_mcp import telling
from swarm_mcp.steering import Id

PAGE = 10_000


class Logs:
    def __init__(self, hub: HubClient) -> None:
        self._hub = hub

    async def logs(
        self,
        task: Id,
        tail: Annotated[
            int, Field(ge=1, le=500, description="So many lines at most: the last, or the first after.")
        ] = 50,
        search: Annotated[str | None, Field(description="Only lines that hold it, whatever the case.")] = None,
        failures: Annotated[bool, Field(description="Only errors: stderr, and tools that failed.")] = False,
        after: Annotated[int | None, Field(ge=0, description="Lines after this number.")] = None,
    ) -> str:
        wanted: deque[LogLine] = deque(maxlen=tail if after is None else None)
        at = after or 0
        while len(wanted) < tail or after is None:
            page = await self._hub.logs(task, after=at, limit=PAGE)
            wanted.extend(line for line in page.lines if _fits(line, search, failures=failures))
            if not page.lines:
                break
            at = page.next_after
        lines = list(wanted)[:tail]
        if not lines:
            return "no line is like that" if search or failures else "nothing was logged yet"
        told = "\n".join(map(_told, lines))
        return telling.cut(
            f"{told}\nNext: swarm_logs(…, after={lines[-1].seq}) for what comes after",
            "ask with a smaller tail, or with search",
        )


def _fits(line: LogLine, search: str | None, *, failures: bool) -> bool:
    if search is not None and search.casefold() not in line.text.casefold():
        return False
    return not failures or _failed(line)


def _failed(line: LogLine) -> bool:
    data = line.data or {}
    return line.stream == "stderr" or bool(data.get("isError")) or data.get("exitCode") not in (None, 0)


def _told(line: LogLine) -> str:
    seconds, _ = divmod(line.elapsed_ms, 1000)
    return f"{line.seq:>4} {seconds // 60}:{seconds % 60:02} {line.stream}> {telling.clean(line.text)[:2_000]}"
