"""What a run of Claude Code came to."""

import re
import signal
from collections.abc import Sequence

from claude_agent_sdk import ProcessError, ResultMessage

from swarm_api.redaction import Redactor
from swarm_api.worker import ResultReport
from swarm_worker.runtimes import RuntimeCrashed

MAX_SUMMARY = 16_000  # characters
# The CLI takes every 403 for a wrong key, and says so before the hub's own words.
_OUT_OF_MONEY = re.compile(r"API Error: 403 (budget\b.*)", re.DOTALL)


def outcome(last: ResultMessage, turns: int, interrupted: bool, redactor: Redactor) -> ResultReport:
    summary = redactor.text(last.result or "")[:MAX_SUMMARY]
    if interrupted:
        return ResultReport(status="cancelled", summary=summary, error_code="cancelled", turns=turns)
    if not last.is_error:
        return ResultReport(status="success", summary=summary, turns=turns)
    if last.subtype == "error_max_budget_usd":
        spent = "; ".join(last.errors or []) or "its budget is spent"
        return ResultReport(status="budget", error_code="budget_exceeded", error_message=spent, turns=turns)
    if last.api_error_status == 403 and (refusal := out_of_money(last.result or "")):
        # Whose money is spent, its own or that of all, the hub knows: it makes of this what it is.
        return ResultReport(status="failure", error_code="budget_exceeded", error_message=refusal, turns=turns)
    code, message = _failure(last)
    return ResultReport(status="failure", summary=summary, error_code=code, error_message=message, turns=turns)


def out_of_money(said: str) -> str | None:
    """The hub's words, when what the CLI says of an API error is that the gateway let nothing more through."""
    found = _OUT_OF_MONEY.search(said)
    return found[1].strip() if found else None


def _failure(last: ResultMessage) -> tuple[str, str]:
    said = "; ".join(last.errors or []) or last.result or last.subtype
    if last.subtype == "error_max_turns":
        return "max_turns", said
    # An API that keeps failing ends a turn with the subtype `success`.
    if last.terminal_reason == "api_error" or last.subtype == "success":
        status = f"the API answered {last.api_error_status}: " if last.api_error_status else ""
        return "api_error", f"{status}{said}"
    return "agent_failed", said


def crash(error: Exception | None, last_words: Sequence[str]) -> RuntimeCrashed:
    how = _how(error.exit_code) if isinstance(error, ProcessError) else str(error or "it ended without a result")
    return RuntimeCrashed("\n".join([f"Claude Code crashed: {how}", *last_words]))


def _how(exit_code: int | None) -> str:
    """Ended by a signal, the CLI's code is negative; 128 + signal is what it says itself when it could tidy up."""
    number = -exit_code if exit_code and exit_code < 0 else (exit_code or 0) - 128
    try:
        return f"it was ended by {signal.Signals(number).name}"
    except ValueError:
        return f"exit code {exit_code}"
