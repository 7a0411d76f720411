"""The last thing a machine logged, for workers that died without a word."""

from typing import Any

import httpx

from swarm_executors.fly_machines import FlyApp

LONGEST = 300  # characters


async def last_line(app: FlyApp, machine_id: str, patience: float) -> str:
    """Empty when Fly does not tell: nothing depends on it.

    The way flyctl takes (fly-go, resource_logs.go), which no document promises.
    """
    url = f"{app.logs_url}/api/v1/apps/{app.app}/logs"
    headers = {"Authorization": app.authorization}
    try:
        async with httpx.AsyncClient(timeout=patience, headers=headers) as http:
            response = await http.get(url, params={"instance": machine_id})
        lines = response.raise_for_status().json()["data"]
        return max(map(_line, lines), default=("", ""))[1][:LONGEST]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def _line(entry: Any) -> tuple[str, str]:
    attributes = entry["attributes"]
    return str(attributes["timestamp"]), str(attributes["message"]).strip()
