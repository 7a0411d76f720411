"""What Fly's refusals mean. Their texts were measured at the live API; `status` counts first where there is one."""

import re
from typing import Any

import httpx

from swarm_executors.calls import retry_after, said
from swarm_executors.protocol import Ambiguous, ExecutorError, Gone, NoCapacity, Refused, Shut, Throttled

PASSING = 1.0  # seconds after which a machine that is in between two states may be asked again
_EXISTS = re.compile(r"unique machine name violation, machine ID ([0-9A-Za-z_-]+) already exists")
_HOST_FULL = ("could not reserve resource", "insufficient resources available", "insufficient ips available")
_REGION_FULL = ("could not find a candidate host", "no capacity", "insufficient resources to create")
_FULL = frozenset({"insufficient_capacity", "volume_placement_capacity"})


class Exists(Refused):
    """A machine of that name is there already: an earlier call has done it."""

    def __init__(self, message: str, machine_id: str) -> None:
        super().__init__(message)
        self.machine_id = machine_id


class HostFull(NoCapacity):
    """The host that Fly chose is full; the next call may be given another one."""


def judge(response: httpx.Response) -> ExecutorError:
    """The class of a refusal."""
    code, body = response.status_code, _body(response)
    text = str(body.get("error") or body.get("message") or "")
    words = f"Fly answers {code}: {text or said(response)}"
    if found := _EXISTS.search(text):
        return Exists(words, found[1])
    if (full := _full(str(body.get("status")), text.lower(), words)) is not None:
        return full
    if code == 429:
        return Throttled(words, retry_after(response) or PASSING)
    if code == 408 or code >= 500:
        return Ambiguous(words)
    return _final(code, words)


def _full(status: str, text: str, words: str) -> NoCapacity | None:
    if any(each in text for each in _HOST_FULL):
        return HostFull(words)
    if status in _FULL or any(each in text for each in _REGION_FULL):
        return NoCapacity(words)
    return None


def _final(code: int, words: str) -> ExecutorError:
    if code in (401, 403):
        return Shut(words)
    if code == 404:
        return Gone(words)
    if code in (409, 412):  # somebody holds its lease, it is updated at this moment, it is still stopping
        return Throttled(words, PASSING)
    return Refused(words)


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
