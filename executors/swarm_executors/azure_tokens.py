"""Tokens for Azure's management API, from whatever identity the hub has there."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from swarm_executors.protocol import Shut

SCOPE = "https://management.azure.com/.default"
EARLY = 300.0  # seconds before its end at which a token is replaced


class Token(Protocol):
    @property
    def token(self) -> str: ...

    @property
    def expires_on(self) -> int: ...


class Tokens:
    """`ask` blocks, and gives a token for a scope."""

    def __init__(self, ask: Callable[[str], Token] | None = None) -> None:
        self._ask = ask
        self._known: Token | None = None
        self._one = asyncio.Lock()

    async def header(self) -> dict[str, str]:
        """Raises `Shut` where the hub has no identity that Azure knows."""
        async with self._one:
            if self._known is None or self._known.expires_on - EARLY < time.time():
                self._known = await asyncio.to_thread(self._get)
            return {"Authorization": f"Bearer {self._known.token}"}

    def _get(self) -> Token:
        try:
            if self._ask is None:
                self._ask = _identity()
            return self._ask(SCOPE)
        except Exception as error:  # the library has a tree of its own for these, and what is below it
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise Shut(f"there is no token for Azure: {lines[0]}") from error


def _identity() -> Callable[[str], Token]:
    """By a client's secret in the environment, the machine's managed identity, or the Azure CLI's login."""
    from azure.identity import (
        AzureCliCredential,
        ChainedTokenCredential,
        EnvironmentCredential,
        ManagedIdentityCredential,
    )

    chain = ChainedTokenCredential(EnvironmentCredential(), ManagedIdentityCredential(), AzureCliCredential())
    return lambda scope: chain.get_token(scope)
