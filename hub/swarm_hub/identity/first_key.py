"""The first admin key: made when a hub has none, kept for this user's clients, and shown once."""

import asyncio
import logging
import os
from dataclasses import replace

from swarm_api.addresses import origin
from swarm_api.auth import KeyIn
from swarm_api.config import BadConfig, config_file, read_config
from swarm_api.credentials import CredentialError, Credentials
from swarm_hub.identity import keys
from swarm_hub.identity.callers import ADMIN, LOCAL, SCOPES, Caller
from swarm_hub.services import Hub
from swarm_hub.store import schema
from swarm_hub.store.transaction import Transaction

NAME = "swarm-api-key"
HERE = "127.0.0.1"  # no request asked for it
log = logging.getLogger(__name__)


async def make_first_key(hub: Hub, url: str) -> None:
    """Once in the life of a data folder, unless SWARM_BOOTSTRAP_KEY gives one. Raises `StorageFailed`.

    `url`: where it listens.
    """
    if hub.identity.book.keys:
        return
    text, now_ms = keys.draw(), hub.store.now_ms()
    maker = Caller(LOCAL, frozenset(SCOPES))
    key = hub.grants.key(KeyIn(name="first", scopes=[ADMIN]), maker, str(keys.key_id(text)), now_ms)
    key = replace(key, hash=await hub.identity.hash_key(text))

    def work(tx: Transaction) -> None:
        tx.add(schema.api_keys, key.row())
        tx.add(schema.audit, {
            "at_ms": tx.now_ms, "who": LOCAL, "action": "key.create", "target": key.id, "outcome": "done",
            "address": HERE, "request_id": "-", "detail": "the first one, made by the hub",
        })  # fmt: skip

    await hub.store.write(work)
    hub.identity.book.keys[key.id] = key
    await asyncio.to_thread(_keep, text, [url, hub.settings.public_url or url])
    _show(text)


def _keep(text: str, urls: list[str]) -> None:
    """In the credential store of whoever runs the hub, unless there is one: it may be another hub's."""
    credentials = Credentials(os.environ, log.warning)
    try:
        configured = read_config(config_file(os.environ)).get("orchestratorUrl")
        if configured and origin(configured) not in map(origin, urls):
            # What is stored is sent to that one.
            log.warning("the first admin key is not in the credential store: orchestratorUrl is another hub's")
        elif credentials.find(NAME) is None:
            credentials.store(NAME, text)
    except (BadConfig, CredentialError) as error:
        log.warning("the first admin key is not in the credential store: %s", error)


def _show(text: str) -> None:
    """On standard output: what goes to standard error is a log, and no place for a key."""
    try:
        print(f"admin API key (shown once): {text}", flush=True)  # noqa: T201
    except OSError as error:
        log.warning("nobody read the first admin key: %s; `swarm keys create` makes another", error)
