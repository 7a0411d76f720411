"""Where new agents are started: as the settings say, or as an administrator has said since."""

from sqlalchemy import Connection, delete, select

from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction

h = schema.hub.c
KEY = "provider"


def chosen_provider(connection: Connection, setting: str) -> str:
    """What was chosen counts for as long as the setting is what it was then."""
    kept = connection.execute(select(h.value).where(h.key == KEY)).scalar()
    overruled, _, chosen = (kept or "").partition(" ")
    return chosen if overruled == setting else setting


def choose_provider(tx: Transaction, setting: str, chosen: str) -> None:
    tx.execute(delete(schema.hub).where(h.key == KEY))
    tx.add(schema.hub, {"key": KEY, "value": f"{setting} {chosen}"})
