"""Where a request really comes from, and whether by https: what a trusted proxy says of it, and nobody else."""

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from swarm_hub.edge.hosts import is_loopback_name
from swarm_hub.edge.told import FOR, FORWARDING, HOST, PROTO, Told
from swarm_hub.values import Network

_ENTRY = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::\d{1,5})?|([0-9.]{7,15})(?::\d{1,5})?|([0-9A-Fa-f:.]{2,45})")
_LONGEST = 60  # characters; an address with its brackets and port has 53
_SECURE = frozenset({b"https", b"wss"})


Address = tuple[str, int] | None
"""As ASGI has it."""


class Sender(NamedTuple):
    """`secure`: by https. `exposed`: in the clear, over a network where others listen."""

    address: str
    secure: bool = False
    exposed: bool = False


class Peer(NamedTuple):
    """`address` is None for what is none."""

    address: str | None
    trusted: bool = False
    loopback: bool = False


class Senders:
    """Knows the trusted proxies. Without any, whoever connects is the sender, and how is not asked.

    `X-Forwarded-For` is read from its end: each proxy adds whom it heard it from, so the first that is no trusted
    proxy is the sender, and what stands before it anybody may have written. `X-Forwarded-Proto` has to say https, each
    time it says anything: silence counts as plain http. A proxy's `Host` is taken as it sends it; RFC 7239's
    `Forwarded` is not read. Programs on the hub's machine need no proxy.
    """

    def __init__(self, proxies: Sequence[Network]) -> None:
        self._proxies = proxies
        self._peer = lru_cache(maxsize=4096)(self._read)

    def find(self, client: Address, server: Address, told: Told) -> Sender:
        """`client` and `server`: the two ends of the connection."""
        text = client[0] if client else ""
        if not self._proxies and ":" not in text:
            return Sender(text)
        peer = self._peer(text.partition("%")[0])
        address = peer.address or text
        if not self._proxies:
            return Sender(address)
        here = peer.loopback or (server is not None and text == server[0])
        if not peer.trusted or (here and _is_its_own(told)):
            return Sender(address, exposed=not here)
        secure = _is_secure(told.get(PROTO, b""))
        return Sender(self._first_stranger(address, told.get(FOR)), secure, exposed=not secure)

    def _first_stranger(self, nearest: str, forwarded: bytes | None) -> str:
        """Whom the nearest proxy heard it from; as far as that can be read, and at least that proxy itself."""
        if forwarded is None:
            return nearest
        for entry in reversed(forwarded.decode("latin-1").split(",")):
            peer = self._peer(entry.strip()[:_LONGEST])
            if peer.address is None:  # `unknown`, or nonsense: what stands before it proves nothing
                return nearest
            if not peer.trusted:
                return peer.address
            nearest = peer.address
        return nearest

    def _read(self, text: str) -> Peer:
        """`192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`; what IPv6 maps from IPv4 is IPv4."""
        match = _ENTRY.fullmatch(text)
        try:
            address = ipaddress.ip_address(match[match.lastindex or 0] if match else "")
        except ValueError:
            return Peer(None)
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        trusted = any(address in network for network in self._proxies)
        return Peer(str(address), trusted, address.is_loopback)


def _is_its_own(told: Told) -> bool:
    """Whether a program of this machine asks for itself, and is not a proxy that asks for somebody else.

    That one adds a header of its own, or keeps the name that it was asked by.
    """
    return is_loopback_name(told.get(HOST, b"")) and not any(name in told for name in FORWARDING)


def _is_secure(proto: bytes) -> bool:
    return proto == b"https" or all(part.strip().lower() in _SECURE for part in proto.split(b","))
