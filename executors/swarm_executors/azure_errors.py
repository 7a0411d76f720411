"""What Azure's refusals mean: by their status first, and by the code that its error has."""

from typing import Any

import httpx

from swarm_executors.calls import retry_after, said
from swarm_executors.protocol import Ambiguous, ExecutorError, Gone, NoCapacity, Refused, Shut, Throttled

PASSING = 1.0  # seconds after which what another operation holds may be asked for again
FULL = ("quota", "capacity", "insufficient", "maxnumberof", "limitexceeded")


def judge(response: httpx.Response) -> ExecutorError:
    """The class of a refusal. https://learn.microsoft.com/azure/azure-resource-manager/management/error-response"""
    status, error = response.status_code, _error(response)
    code = str(error.get("code") or "")
    words = f"Azure answers {status} {code}: {error.get('message') or said(response)}"
    if status == 429:
        return Throttled(words, retry_after(response) or PASSING)
    if status == 408 or status >= 500:
        return Ambiguous(words)
    if any(each in code.lower() for each in FULL):
        return NoCapacity(words)
    return _final(status, words)


def _final(status: int, words: str) -> ExecutorError:
    if status in (401, 403):
        return Shut(words)
    if status == 404:
        return Gone(words)
    return Throttled(words, PASSING) if status in (409, 412) else Refused(words)


def _error(response: httpx.Response) -> dict[str, Any]:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}
