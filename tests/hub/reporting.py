"""Log reports to send, and the lines they make."""

from typing import Any

from hub.played import PlayedHub
from swarm_api.worker import LogReport, to_wire


def line(text: str, **fields: Any) -> LogReport:
    return LogReport(stream="agent", text=text, **fields)


def numbered(*numbers: int) -> list[dict[str, Any]]:
    """Log reports with these numbers, whose text is their number."""
    return [{**to_wire(line(str(n))), "n": n} for n in numbers]


async def texts(hub: PlayedHub, task_id: str) -> list[str]:
    return [found.text for found in (await hub.client.logs(task_id)).lines]
