"""How often an address may try, and what is told of those who failed."""

import ipaddress
import logging
import time
from collections import Counter

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from swarm_api.errors import TooManyRequests

OF_AUTH = parse_many("10/minute;50/hour")
OF_WRONG_KEYS = parse_many("10/minute")
HOME = 64  # bits of an IPv6 address that one house has to itself

log = logging.getLogger(__name__)


class Attempts:
    """Counted in this process. Times are the wall clock's."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()  # by reason
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._untold = 0

    def enter(self, address: str, who: str = "") -> None:
        """A request about credentials; `who` shows a good one. Raises `TooManyRequests`."""
        for limit in OF_AUTH:
            if not self._windows.hit(limit, "auth", house(address), who):
                raise self._too_many(limit, "auth", address, who)

    def may_try(self, address: str) -> None:
        """Before a key is hashed. Raises `TooManyRequests` for those who came with too many wrong ones."""
        for limit in OF_WRONG_KEYS:
            if not self._windows.test(limit, "key", house(address)):
                raise self._too_many(limit, "key", address)

    def wrong_key(self, address: str) -> None:
        for limit in OF_WRONG_KEYS:
            self._windows.hit(limit, "key", house(address))

    def failed(self, address: str, reason: str, shown: str) -> None:
        """Count, and log as often as such a request would be answered. `shown`: what may be told of the credential."""
        self.refused[reason] += 1
        if not self._windows.hit(OF_AUTH[0], "log", house(address)):
            self._untold += 1
            return
        more = f" ({self._untold} others were not logged)" if self._untold else ""
        self._untold = 0
        log.warning("refused %s from %s: %s%s", shown, address, reason, more)

    def _too_many(self, limit: RateLimitItem, kind: str, address: str, *who: str) -> TooManyRequests:
        self.refused["rate_limited"] += 1
        reset = self._windows.get_window_stats(limit, kind, house(address), *who).reset_time
        wait = max(1, round(reset - time.time() + 0.5))
        return TooManyRequests(f"too many attempts from your address; try again in {wait} s", retryAfter=wait)


def house(address: str) -> str:
    """What counts as one address: of IPv6 all that one house has to itself."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 6 and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(ip) >> HOME << HOME, HOME)))
    return str(ip)
