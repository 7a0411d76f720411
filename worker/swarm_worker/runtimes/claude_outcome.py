"""What a run of Claude Code came to."""

import signal
from collections.abc import Sequence

from claude_agent_sdk import ProcessError, ResultMessage

from swarm_api.redaction import Redactor
from swarm_api.worker import ResultReport
from swarm_worker.runtimes import RuntimeCrashed

MAX_SUMMARY = 16_000  # characters


def outcome(last: ResultMessage, turns: int, interrupted: bool, redactor: Redactor) -> ResultReport:
    summary = redactor.text(last.result or "")[:MAX_SUMMARY]
    if interrupted:
        return ResultReport(status="cancelled", summary=summary, error_code="cancelled", turns=turns)
    if not last.is_error:
        return ResultReport(status="success", summary=summary, turns=turns)
    code, message = _failure(last)
    return ResultReport(status="failure", summary=summary, error_code=code, error_message=message, turns=turns)


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
