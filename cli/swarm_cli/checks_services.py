"""What `swarm setup --check` asks of others: is this key one of theirs?"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from swarm_api.addresses import is_loopback
from swarm_api.config import BadConfig, checked_url, config_file, hub_url, read_config
from swarm_api.credentials import VARIABLES, CredentialError, Credentials, Found
from swarm_cli import local_hub
from swarm_cli.check import Check, untrusted
from swarm_cli.probe import Answer, NoAnswer, ask

ANTHROPIC_VERSION = "2023-06-01"
_MACAROONS = ("fm1r_", "fm1a_", "fm2_")
_RENEW = "swarm setup"


class Service(NamedTuple):
    """Its `path` answers 200 to whoever has a good key. `variable` moves it; `headers` carry the key."""

    name: str
    credential: str
    variable: str
    default: str
    path: str
    headers: Callable[[str], Mapping[str, str]]


def anthropic_check(environ: Mapping[str, str], credentials: Credentials) -> Check:
    service = Service(
        "anthropic", "anthropic-api-key", "ANTHROPIC_BASE_URL", "https://api.anthropic.com", "/v1/models?limit=1",
        lambda key: {"x-api-key": key, "anthropic-version": ANTHROPIC_VERSION},
    )  # fmt: skip
    return _checked(service, environ, credentials) or _without_key(environ)


def _without_key(environ: Mapping[str, str]) -> Check:
    if not is_loopback(urlsplit(hub_url(None, environ)).hostname):
        return Check("anthropic", "ok", "no key here; the hub is elsewhere and has its own")
    if local_hub.simulates(environ) or local_hub.running_simulates(environ):
        return Check("anthropic", "ok", "simulated: no key needed")
    return Check("anthropic", "wrong", "no Anthropic API key", _RENEW)


def github_check(environ: Mapping[str, str], credentials: Credentials) -> Check:
    service = Service(
        "github", "github-token", "GITHUB_API_URL", "https://api.github.com", "/user",
        lambda token: {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
    )  # fmt: skip
    return _checked(service, environ, credentials) or Check("github", "ok", "no token; it is optional")


def fly_checks(environ: Mapping[str, str], credentials: Credentials) -> Iterator[Check]:
    """Nothing where Fly is not used: it has no token and is not the provider."""
    config = read_config(config_file(environ))
    app = environ.get("FLY_APP_NAME") or config.get("flyAppName")
    path = f"/v1/apps/{app}/machines?summary=true" if app else "/v1/tokens/current"
    service = Service(
        "fly", "fly-api-token", "FLY_FLAPS_BASE_URL", "https://api.machines.dev", path, fly_headers
    )  # fmt: skip
    if check := _checked(service, environ, credentials):
        yield check
    elif config.get("executorType") == "fly":
        yield Check("fly", "wrong", "no Fly token", "swarm setup --provider fly")


def fly_headers(token: str) -> Mapping[str, str]:
    """As Fly's own client sends it: macaroons, of which there may be several, have a scheme of their own."""
    bare = token.removeprefix("FlyV1 ").removeprefix("Bearer ")
    macaroons = any(part.startswith(_MACAROONS) for part in bare.split(","))
    return {"Authorization": f"{'FlyV1' if macaroons else 'Bearer'} {bare}"}


def _checked(service: Service, environ: Mapping[str, str], credentials: Credentials) -> Check | None:
    """What the service says of the key; None when there is no key."""
    try:
        found = credentials.find(service.credential)
        if found is None:
            return None
        base = checked_url(environ.get(service.variable) or service.default, service.variable)
    except BadConfig as error:
        return Check(service.name, "wrong", str(error))
    except CredentialError as error:
        return untrusted(service.name, error)
    try:
        answer = ask(base + service.path, service.headers(found.value))
    except NoAnswer as error:
        return Check(service.name, "wrong", f"{base}: {error}", f"see whether {base} can be reached from here")
    return _judged(service, base, found, answer)


def _judged(service: Service, base: str, found: Found, answer: Answer) -> Check:
    key = f"the {service.credential} ({found.origin})"
    if answer.status == 200:
        login = answer.body.get("login")
        return Check(service.name, "ok", f"{base} takes {key}" + (f", of {login}" if login else ""))
    if answer.status in (401, 403):
        return Check(service.name, "wrong", f"{base} refuses {key}: {answer.status}", _renewal(service, found))
    if 300 <= answer.status < 400:
        found_there = f"{base} points elsewhere ({answer.status}); no key is sent after a redirect"
        return Check(service.name, "wrong", found_there, f"set {service.variable} to where it is")
    return Check(
        service.name, "note", f"{base} answered {answer.status}, which says nothing of {key}", "try again later"
    )


def _renewal(service: Service, found: Found) -> str:
    if found.origin == "environment":
        return f"export {VARIABLES[service.credential]}=… with another one, or unset it"
    return _RENEW
