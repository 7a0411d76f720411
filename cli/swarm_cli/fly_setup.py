"""The apps at Fly that a swarm needs: looked for, and made where they are missing."""

from collections.abc import Mapping

import httpx

from swarm_api.config import checked_url, config_file, read_config
from swarm_api.credentials import Credentials
from swarm_cli.checks_services import fly_headers
from swarm_cli.faults import Fault
from swarm_cli.screen import write

API = "https://api.machines.dev"
ORGANISATION = "personal"  # what Fly calls everybody's own
TIMEOUT = 30.0  # seconds


def make_apps(environ: Mapping[str, str]) -> None:
    """The workers' app, if there is a token and it is not there yet. Raises a `Fault` with Fly's own words."""
    config = read_config(config_file(environ))
    name = environ.get("FLY_APP_NAME") or config.get("flyAppName")
    token = Credentials(environ, lambda _: None).find("fly-api-token")
    if config.get("executorType") != "fly" or name is None or token is None:
        return
    base = checked_url(environ.get("FLY_FLAPS_BASE_URL") or API, "FLY_FLAPS_BASE_URL")
    with httpx.Client(base_url=base, headers=dict(fly_headers(token.value)), timeout=TIMEOUT) as http:
        try:
            _make(http, str(name))
        except httpx.HTTPError as error:
            raise Fault(f"Fly is not reached at {base}: {error}") from error


def _make(http: httpx.Client, name: str) -> None:
    found = http.get(f"/v1/apps/{name}")
    if found.is_success:
        write(f"  Fly has the app {name}")
        return
    if found.status_code != 404:
        raise Fault(f"Fly answers {found.status_code} for the app {name}: {_said(found)}", hint="fly tokens create org")
    made = http.post("/v1/apps", json={"name": name, "org_slug": ORGANISATION})
    if made.is_success:
        write(f"  made the app {name} at Fly")
        return
    hint = "its name is somebody else's: swarm config set flyAppName NAME" if "taken" in made.text else ""
    raise Fault(f"Fly did not make the app {name}: {_said(made)}", hint=hint)


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("error") or answer.status_code)
    except (ValueError, AttributeError):
        return str(answer.status_code)
