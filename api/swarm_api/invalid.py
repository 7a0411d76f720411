"""What pydantic found wrong, in the words of the contract: each field by its path, and what is allowed there."""

from typing import Any

from pydantic import ValidationError

from swarm_api.errors import InvalidInput

_MOST = 100  # fields that are named
_NAME = 100  # characters of a field's name that are repeated
_SECRET = frozenset({"apiKey"})  # fields whose values are not repeated, whatever they are


def invalid(error: ValidationError) -> InvalidInput:
    """Bad fields, each as `{"loc": "tasks.3.prompt", "msg": "…"}`; the first of them is the detail."""
    errors = field_errors(error)
    first = errors[0]
    return InvalidInput(f"{first['loc']}: {first['msg']}" if first["loc"] else first["msg"], errors=errors)


def field_errors(error: ValidationError, unknown: str = "unknown field") -> list[dict[str, str]]:
    """`unknown` is said of what is not known at its place."""
    words = {"extra_forbidden": unknown, "missing": "required"}
    return [
        {"loc": ".".join(str(part)[:_NAME] for part in item["loc"]), "msg": words.get(item["type"]) or _message(item)}
        for item in error.errors(include_url=False)[:_MOST]
    ]


def _message(item: Any) -> str:
    if item["type"] in ("too_short", "too_long") and isinstance(item["input"], str):
        return _length(item["ctx"])
    message = str(item["msg"]).removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    shown = repr(item["input"])
    # An address may hold credentials.
    simple = isinstance(item["input"], str | int | float | bool) and len(shown) <= 80 and "@" not in shown
    return f"{message}, not {shown}" if simple and _SECRET.isdisjoint(item["loc"]) else message


def _length(limits: Any) -> str:
    """Of a text; pydantic speaks of items where a validator comes before the limit."""
    if "min_length" in limits:
        return f"must have at least {limits['min_length']:,} character, not {limits['actual_length']:,}"
    return f"must have at most {limits['max_length']:,} characters, not {limits['actual_length']:,}"
