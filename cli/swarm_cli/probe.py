"""A single question over HTTP to somebody else's service: does it answer, and does it take this key?"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from swarm_api.addresses import InsecureAddress, is_loopback, keep_private

_NUMBER = re.compile(r"^\[Errno -?\d+\] ")
PATIENCE = 10.0  # seconds for connecting, and for each read


class NoAnswer(Exception):
    """Nobody answered, or nobody may be asked. Its text is the reason."""


class Answer(NamedTuple):
    """`date` is the header of that name, `body` the decoded JSON object, empty when there is none."""

    status: int
    date: str
    body: Mapping[str, Any]


def ask(url: str, secret_headers: Mapping[str, str] | None = None) -> Answer:
    """GET. Secrets go over https, or to this machine; and nowhere that a redirect names. Raises `NoAnswer`."""
    import httpx

    # A proxy of the environment cannot reach this machine's loopback.
    proxied = not is_loopback(urlsplit(url).hostname)
    try:
        if secret_headers:
            keep_private(url)
        with httpx.Client(timeout=PATIENCE, follow_redirects=False, trust_env=proxied) as client:
            response = client.get(url, headers=dict(secret_headers or {}))
    except InsecureAddress as error:
        raise NoAnswer(f"no key is sent there: {error.detail}") from None
    except (httpx.LocalProtocolError, UnicodeError):  # whose text would show the key
        raise NoAnswer("the key holds characters that no key has") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise NoAnswer(_NUMBER.sub("", str(error)) or type(error).__name__) from error
    return Answer(response.status_code, response.headers.get("date", ""), _object(response))


def _object(response: Any) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
