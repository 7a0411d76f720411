"""What slurmrestd's refusals mean. The number of the error decides: it comes as HTTP 500 for nearly everything.

Numbers: slurm/slurm_errno.h of Slurm 22.05 to 25.05, which only adds to them.
"""

from typing import Any

import httpx

from swarm_executors.calls import retry_after, said
from swarm_executors.protocol import Ambiguous, ExecutorError, Gone, NoCapacity, Refused, Shut, Throttled

GONE = frozenset({2017})  # invalid job id
FINISHED = frozenset({2021})  # the job has ended already
FULL = frozenset({2015, 2016, 2050, 2068, 2070})  # no nodes, nodes busy, limits of the account, node or partition down
SHUT = frozenset({1007, 2000, 2002, 2003, 2004, 6000, 6006})  # authentication, partition, access, user
IN_BETWEEN = frozenset({2020})  # the job is on its way into a node or out of it, and cannot be told anything now
PASSING = frozenset({1800, 1801, 1802, 1803, 2007, 2019, 2027, 2103, 2131, 5004})
"""The controller is away, busy, or another one is the controller now: whether it heard is not known."""


LOOK_AGAIN = 0.5  # seconds


class AlreadyEnded(Refused):
    """There is nothing left to stop."""


def judge(response: httpx.Response) -> ExecutorError:
    """The class of a refusal."""
    code, errors = response.status_code, errors_of(response)
    number = next((found for each in errors if (found := _number(each))), 0)
    text = next((str(each.get("error") or each.get("description")) for each in errors), "") or said(response)
    words = f"Slurm answers {code}, error {number}: {text}"
    by_number = _numbered(number, words)
    return by_number if by_number is not None else _by_status(code, words, retry_after(response))


def errors_of(response: httpx.Response) -> list[dict[str, Any]]:
    try:
        found = response.json().get("errors")
    except (ValueError, AttributeError):
        return []
    return [each for each in found or () if isinstance(each, dict)]


def _number(error: dict[str, Any]) -> int:
    """A submission's errors have it under a name of their own."""
    return int(error.get("error_number") or error.get("error_code") or 0)


def _numbered(number: int, words: str) -> ExecutorError | None:
    kinds: list[tuple[frozenset[int], type[ExecutorError]]] = [
        (GONE, Gone), (FINISHED, AlreadyEnded), (FULL, NoCapacity), (SHUT, Shut), (PASSING, Ambiguous),
    ]  # fmt: skip
    if number in IN_BETWEEN:
        return Throttled(words, LOOK_AGAIN)
    kind = next((kind for numbers, kind in kinds if number in numbers), None)
    if kind is None and number >= 2000:
        kind = Refused
    return kind(words) if kind else None


def _by_status(code: int, words: str, patience: float) -> ExecutorError:
    if code in (401, 403):
        return Shut(words)
    if code == 404:
        return Gone(words)
    if code == 429:
        return Throttled(words, patience or 1.0)
    return Ambiguous(words) if code == 408 or code >= 500 else Refused(words)
