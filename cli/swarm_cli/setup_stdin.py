"""Settings and secrets as one JSON object, for machines that nobody sits at. All is checked before any is used."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from swarm_api.config import FIELDS, BadConfig, check
from swarm_api.credentials import CredentialError
from swarm_api.credentials.formats import check as check_secret
from swarm_api.redaction import Redactor
from swarm_cli.faults import wrong_usage
from swarm_cli.setup_changes import SECRETS, Changes

ACCEPTED = ("anthropicApiKey", "flyApiToken", "githubToken", "swarmApiKey")
_LONGEST = 1_000_000  # bytes
_LIKE = """echo '{"anthropicApiKey": "sk-ant-…"}' | swarm setup --stdin"""


def read_changes(stream: BinaryIO, provider: str | None) -> Changes:
    """What the object asks for; null takes a setting or secret away. Raises a usage `Fault` that holds no secret."""
    fields = _object(stream.read(_LONGEST + 1))
    if provider is not None:
        fields = {"executorType": provider, **fields}
    if faults := "\n".join(_faults(fields)):
        secrets = [value for name, value in fields.items() if name not in FIELDS and isinstance(value, str)]
        raise wrong_usage(Redactor(secrets).text(faults), hint="nothing was changed")
    return Changes(
        {name: value for name, value in fields.items() if name in FIELDS},
        {SECRETS[name]: value for name, value in fields.items() if name in ACCEPTED},
    )


def _object(content: bytes) -> dict[str, Any]:
    if len(content) > _LONGEST:
        raise wrong_usage(f"stdin: more than {_LONGEST:,} bytes", hint=_LIKE)
    if not content.strip():
        raise wrong_usage("stdin is empty", hint=_LIKE)
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise wrong_usage(f"stdin: byte {error.start} is not UTF-8", hint=_LIKE) from None
    except json.JSONDecodeError as error:
        raise wrong_usage(f"stdin:{error.lineno}:{error.colno}: not JSON: {error.msg}", hint=_LIKE) from None
    except (ValueError, RecursionError):
        raise wrong_usage("stdin: numbers too long, or nested too deeply", hint=_LIKE) from None
    if not isinstance(found, dict):
        raise wrong_usage(f"stdin: must be a JSON object, not {type(found).__name__}", hint=_LIKE)
    return found


def _faults(fields: Mapping[str, Any]) -> Iterator[str]:
    known = sorted((*FIELDS, *ACCEPTED))
    for name, value in fields.items():
        if name not in known:
            yield f"unknown field {name!r}; known are {', '.join(known)}"
        elif value is not None and (fault := _fault(name, value)):
            yield fault


def _fault(name: str, value: Any) -> str:
    try:
        if name in FIELDS:
            check(name, value)
        elif isinstance(value, str):
            check_secret(SECRETS[name], value)
        else:
            return f"{name}: must be text"
    except (BadConfig, CredentialError) as error:
        return str(error)
    return ""
