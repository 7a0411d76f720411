"""How money and usage limits stand, for a view that follows the hub."""

from swarm_api.client import HubClient
from swarm_api.errors import Forbidden, HubUnreachable, NotFound
from swarm_cli.budget_page import today
from swarm_cli.screen import Screen
from swarm_cli.tasks import as_json
from swarm_cli.usage_limit import MANY, held_up, told


async def standing(hub: HubClient, screen: Screen) -> list[str]:
    """The lines of `swarm status`; none for those who may not know, and while the hub is away."""
    try:
        return [*today(as_json(await hub.budget()), screen), *await _limit(hub, screen)]
    except (Forbidden, HubUnreachable, NotFound):
        return []


async def _limit(hub: HubClient, screen: Screen) -> list[str]:
    queue = as_json(await hub.queue())
    if not held_up(queue):
        return []
    waiting = await hub.tasks(status="pending", limit=MANY)
    return [screen.paint("yellow", told(queue, map(as_json, waiting.tasks)))]
