"""Calls of a cloud's HTTP API: each in its turn, each failure classed once, and repeated where that does no harm."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from swarm_executors.bucket import Bucket
from swarm_executors.protocol import Ambiguous, ExecutorError, Throttled

Judge = Callable[[httpx.Response], ExecutorError]
"""Tells what an answer that is no success means: the one place where a cloud's errors are classed."""
Headers = Callable[[], Awaitable[Mapping[str, str]]]
LONGEST_PAUSE = 300.0  # seconds that a `Retry-After` is believed


@dataclass(frozen=True)
class Patience:
    """How long a call is waited for, and how often one that may be repeated is, with full jitter in between.

    Seconds. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    timeout: float = 30.0
    tries: int = 5
    first: float = 0.5
    most: float = 8.0

    def delay(self, failed: int, failure: ExecutorError) -> float:
        """After so many failures, the last of which is given."""
        jitter = random.uniform(0, min(self.most, self.first * 2.0**failed))  # noqa: S311  # nosec B311  # no secret
        return max(failure.retry_after, jitter)


class Calls:
    """`headers` are asked for each call: tokens age."""

    def __init__(self, http: httpx.AsyncClient, judge: Judge, headers: Headers, patience: Patience) -> None:
        self._http = http
        self._judge = judge
        self._headers = headers
        self.patience = patience

    async def once(
        self, method: str, path: str, *, json: Any = None, params: Mapping[str, Any] | None = None,
        bucket: Bucket | None = None, patience: float | None = None,
    ) -> Any:  # fmt: skip
        """What it answers, as JSON; None for an answer without a body. `patience`: seconds, where not as for others.

        Raises what the cloud's judge says of a refusal, and `Ambiguous` where no answer came, or none that is whole.
        """
        if bucket is not None:
            await bucket.take()
        try:
            response = await self._http.request(
                method, path, json=json, params=params, headers=await self._headers(),
                timeout=self.patience.timeout if patience is None else patience,
            )  # fmt: skip
            if response.is_success:
                return response.json() if response.content else None
        except (httpx.HTTPError, ValueError) as error:
            raise Ambiguous(f"{method} {path} got no answer: {type(error).__name__}") from error
        failure = self._judge(response)
        if isinstance(failure, Throttled) and bucket is not None:
            bucket.pause(failure.retry_after)
        raise failure

    async def steadily(self, method: str, path: str, **options: Any) -> Any:
        """The same, repeated while nothing is known of it: for what may be done twice."""
        return await self.repeated(lambda: self.once(method, path, **options))

    async def repeated(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """What the call gives, which is made again after `Throttled` and `Ambiguous`."""
        for failed in range(1, self.patience.tries):
            try:
                return await call()
            except (Throttled, Ambiguous) as failure:
                await asyncio.sleep(self.patience.delay(failed, failure))
        return await call()

    async def aclose(self) -> None:
        await self._http.aclose()


def retry_after(response: httpx.Response) -> float:
    """Seconds the other side wants to be left alone for, by its header (RFC 9110 §10.2.3)."""
    said = response.headers.get("retry-after", "")
    if said.isdigit():
        return min(float(said), LONGEST_PAUSE)
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return 0.0
    return min(max(0.0, (at - datetime.now(UTC)).total_seconds()), LONGEST_PAUSE)


def said(response: httpx.Response) -> str:
    """What an error's body says, short enough for a line."""
    return " ".join(response.text.split())[:300]
