"""Credentials of this hub in what clients send: refused, because what is accepted is stored, shown and passed on."""

from collections.abc import Iterator
from typing import Any

from pydantic_core import to_json

from swarm_api.errors import InvalidInput
from swarm_api.redaction import Redactor

HOLDS = "holds a credential of this hub"


def refuse_disclosed(data: Any, redactor: Redactor) -> None:
    """Raises `InvalidInput` with every field of a request's JSON that holds a credential in use."""
    if not redactor.known_in(to_json(data).decode()):
        return  # hardly ever not; to look at each text costs ten times as much
    errors = [{"loc": loc, "msg": HOLDS} for loc in dict.fromkeys(_found(data, redactor, ""))]
    if errors:
        raise InvalidInput(f"{errors[0]['loc']}: {HOLDS}" if errors[0]["loc"] else HOLDS, errors=errors)


def _found(value: Any, redactor: Redactor, loc: str) -> Iterator[str]:
    if isinstance(value, str):
        if redactor.known_in(value):
            yield loc
    elif isinstance(value, dict):
        for name, inner in value.items():
            if redactor.known_in(name):
                yield loc  # its name is not to be repeated
            else:
                yield from _found(inner, redactor, f"{loc}.{name}" if loc else name)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _found(inner, redactor, f"{loc}.{i}" if loc else str(i))
