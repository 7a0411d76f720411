"""Errors as the command line tells them: one clear line, the command that mends it, and the exit code."""

import os
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from swarm_api.addresses import is_loopback
from swarm_api.config import BadConfig
from swarm_api.errors import HubUnreachable, InvalidInput, SwarmError
from swarm_cli.screen import Screen, safe, wrapped

DONE, FAILED, USAGE, NOT_AUTHENTICATED, NOT_FOUND, UNREACHABLE, BUDGET, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130

_BY_STATUS = {400: USAGE, 401: NOT_AUTHENTICATED, 403: NOT_AUTHENTICATED, 404: NOT_FOUND, 413: USAGE, 422: USAGE}
_BY_CODE = {"ambiguous_id": USAGE, "repo_not_allowed": USAGE}
_CREDENTIALS = ("SWARM_API_KEY", "SWARM_JWT")
_HINTS = {
    "ambiguous_id": "give more of the id",
    "repo_not_allowed": "set SWARM_REPO_ROOTS in the hub's environment",
    "not_found": "swarm status",
    "budget_spent": "swarm retry ID --budget DOLLARS, for more than it has spent",
    "https_required": "--url https://…",
    "insecure_address": "--url https://…, or --insecure (SWARM_INSECURE=1) where the network is trusted",
}
_MAX_LINES = 10
_ERROR = "error:"


class Fault(Exception):
    """What ends a command: a line for people, perhaps how to mend it, and the exit code."""

    def __init__(self, message: str, *, hint: str = "", exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


def wrong_usage(message: str, hint: str = "") -> Fault:
    return Fault(message, hint=hint, exit_code=USAGE)


def explain(error: Exception) -> Fault | None:
    """The fault that an expected error stands for; None for one that nobody expected."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, BadConfig):
        return wrong_usage(str(error))
    if isinstance(error, HubUnreachable):
        return Fault(error.detail, hint=_how_to_reach(error), exit_code=UNREACHABLE)
    if isinstance(error, SwarmError):
        return Fault(_told(error), hint=_hint(error), exit_code=_exit_code(error))
    if isinstance(error, OSError):
        return Fault(": ".join(str(part) for part in (error.filename, error.strerror or error) if part))
    from swarm_api.credentials import CredentialError  # late: `swarm status` seldom needs it

    return Fault(str(error)) if isinstance(error, CredentialError) else None


def _exit_code(error: SwarmError) -> int:
    if error.code.startswith("budget") or _waits_for_money(error):
        return BUDGET
    return _BY_CODE.get(error.code) or _BY_STATUS.get(error.status, FAILED)


def _waits_for_money(error: SwarmError) -> bool:
    reasons = error.data.get("blockedBy") if error.code == "blocked" else None
    return bool(reasons) and all(blocked.get("reason") == "budget" for blocked in reasons or ())


def _told(error: SwarmError) -> str:
    fields: list[Mapping[str, Any]] = error.data.get("errors") or [] if isinstance(error, InvalidInput) else []
    if not fields:
        return error.detail
    told = [
        f"{field.get('loc')}: {field.get('msg')}" if field.get("loc") else str(field.get("msg")) for field in fields
    ]
    if len(told) > _MAX_LINES:
        told[_MAX_LINES:] = [f"… and {len(told) - _MAX_LINES} more"]
    return "\n".join(told)


def _how_to_reach(error: HubUnreachable) -> str:
    local = is_loopback(urlsplit(error.data.get("url", "")).hostname)
    return "swarm orchestrator start --background" if local else "--url URL, or SWARM_URL, names another hub"


def _hint(error: SwarmError) -> str:
    if error.code == "not_authenticated":
        return _how_to_authenticate(os.environ)
    if error.code == "forbidden_scope" and (scope := error.data.get("scope")):
        return f"swarm login with a key that has it: swarm keys create NAME --scope {scope}"
    if error.code == "rate_limited" and (seconds := error.data.get("retryAfter")):
        return f"again in {seconds} s"
    return _HINTS.get(error.code, "")


def _how_to_authenticate(environ: Mapping[str, str]) -> str:
    """What the environment holds goes before what a login would store."""
    sent = next((variable for variable in _CREDENTIALS if environ.get(variable)), None)
    return f"{sent} was sent: set another, or unset it and swarm login" if sent else "swarm login"


def tell(fault: Fault, environ: Mapping[str, str]) -> int:
    """Write the fault to stderr; the exit code. A hint is never broken: it may be pasted."""
    screen = Screen.of(sys.stderr, environ)
    for line in fault.message.splitlines():
        first, *more = wrapped(safe(line), screen, len(_ERROR) + 1)
        sys.stderr.write(f"{screen.paint('bold red', _ERROR)} {first}\n")
        sys.stderr.writelines(f"{' ' * len(_ERROR)} {part}\n" for part in more)
    if fault.hint:
        sys.stderr.write(f"{screen.paint('dim', ' hint:')} {safe(fault.hint)}\n")
    return fault.exit_code
