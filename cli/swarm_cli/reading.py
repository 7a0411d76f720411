"""What is only read and shown goes over the standard library's HTTP: it starts in a third of the time."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from swarm_api.access import access, may_be_insecure
from swarm_api.config import HUB_FILE, Running, data_folder, hub_url
from swarm_api.errors import HubUnreachable, from_problem
from swarm_api.running import RunningHub
from swarm_api.source import Source
from swarm_api.wire import Refused, Unreachable, Wire
from swarm_cli.screen import safe_json, write


class Hub:
    """The hub's answers as they come: decoded JSON."""

    def __init__(
        self, url: str, token: str | Source | None = None, *, timeout: float = 30.0, insecure: bool = False
    ) -> None:
        self.url = url
        self._wire = Wire(url, token, timeout, insecure=insecure)

    @classmethod
    def of(cls, url: str, environ: Mapping[str, str], timeout: float = 30.0) -> "Hub":
        """The hub, with the credential that this machine has for it. Raises `BadConfig`, `NotAuthenticated`."""
        return cls(url, access(url, environ), timeout=timeout, insecure=may_be_insecure(environ))

    @classmethod
    def running(cls, note: Running, environ: Mapping[str, str], timeout: float = 5.0) -> "Hub":
        """The hub that runs here, with the token that it leaves in its data folder, whatever else this machine has."""
        return cls(note.url, RunningHub(note.url, data_folder(environ) / HUB_FILE), timeout=timeout)

    def get(self, *segments: str, **params: Any) -> Any:
        """The answer of `/api/<segments>`. Raises `SwarmError`; `HubUnreachable` when none came."""
        path = "/api/" + "/".join(quote(segment, safe="") for segment in segments)
        query = urlencode({name: value for name, value in params.items() if value is not None}, doseq=True)
        return self.call("GET", f"{path}?{query}" if query else path)

    def call(self, method: str, path: str, body: bytes | None = None) -> Any:
        try:
            return self._wire.call(method, path, body)
        except Refused as refused:
            raise from_problem(refused.status, refused.problem) from refused
        except Unreachable as error:
            reason = getattr(error.__cause__, "strerror", None) or str(error)
            raise HubUnreachable(f"no hub answers at {self.url}: {reason}", url=self.url) from error
        except ValueError as error:
            raise HubUnreachable(f"what answers at {self.url} is no Claude Swarm hub", url=self.url) from error


def connect(url: str | None, environ: Mapping[str, str]) -> Hub:
    """The hub that `--url`, the environment or the configuration names. Raises `BadConfig`, `NotAuthenticated`."""
    return Hub.of(hub_url(url, environ), environ)


def show_json(answer: Any) -> None:
    """The API's own JSON, and nothing else."""
    write(safe_json(json.dumps(answer, ensure_ascii=False, indent=2)))
