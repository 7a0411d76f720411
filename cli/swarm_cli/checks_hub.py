"""The hub that commands would talk to: whether it answers, takes our credential, and has our time."""

import socket
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from swarm_api.access import access, may_be_insecure
from swarm_api.addresses import is_loopback
from swarm_api.config import BadConfig, config_file, hub_url, read_config
from swarm_api.errors import Forbidden, NotAuthenticated, SwarmError
from swarm_api.running import RunningHub
from swarm_api.source import Source
from swarm_cli import local_hub
from swarm_cli.check import Check
from swarm_cli.checks_money import money_checks
from swarm_cli.probe import Answer, NoAnswer, ask
from swarm_cli.reading import Hub

CLOCKS_MAY_DIFFER = 30.0  # seconds; the hub allows tokens as much
_DOCUMENTATION = ("198.51.100.1", 9)  # RFC 5737: nobody's
_START = "swarm orchestrator start --background"
_RESTART = "swarm orchestrator stop, then swarm orchestrator start --background"
_OTHER_PORT = "PORT=0 swarm orchestrator start --background"


def hub_checks(environ: Mapping[str, str]) -> Iterator[Check]:
    """Whether it runs, and what else can only be seen then."""
    try:
        url = hub_url(None, environ)
        elsewhere = bool(environ.get("SWARM_URL") or read_config(config_file(environ)).get("orchestratorUrl"))
    except BadConfig as error:
        yield Check("hub", "wrong", str(error))
        return
    if not elsewhere and local_hub.find(environ) is None:
        yield _startable(environ)
        return
    try:
        answer = ask(f"{url}/health")
    except NoAnswer as error:
        mend = _RESTART if local_hub.find(environ) else _START
        yield Check(
            "hub",
            "wrong",
            f"no hub answers at {url}: {error}",
            mend if is_loopback(urlsplit(url).hostname) else "see to its machine",
        )
        return
    yield _health(url, answer)
    if "version" in answer.body:
        yield _authentication(url, environ)
        yield from money_checks(url, environ)
        yield from _clock(answer.date)
        yield from _exposure(url)


def _startable(environ: Mapping[str, str]) -> Check:
    port = environ.get("PORT") or "3000"
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", int(port)))
        except (OSError, ValueError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            return Check("hub", "wrong", f"does not run, and port {port} cannot be had: {reason}", _OTHER_PORT)
    return Check("hub", "wrong", "does not run", _START)


def _health(url: str, answer: Answer) -> Check:
    if "version" not in answer.body:
        found = f"what answers at {url} ({answer.status}) is no Claude Swarm hub"
        return Check("hub", "wrong", found, "swarm config set orchestratorUrl URL, or unset SWARM_URL")
    if answer.status == 200:
        return Check("hub", "ok", f"{answer.body.get('status')} at {url}, version {answer.body['version']}")
    return Check("hub", "wrong", f"at {url}, takes no work: {_ailing(answer.body.get('checks'))}", "see the hub's log")


def _ailing(checks: Any) -> str:
    found = [f"{name}: {said}" for name, said in checks.items() if said != "ok"] if isinstance(checks, dict) else []
    return "; ".join(found) or "it does not say why"


def _authentication(url: str, environ: Mapping[str, str]) -> Check:
    """Asked with what a command would send."""
    try:
        source = access(url, environ)
        found = source.token()
    except (SwarmError, BadConfig) as error:
        return Check("credential", "wrong", str(error), "swarm login, once that is mended")
    if found is None:
        return Check("credential", "wrong", f"there is none here for {url}", "swarm login")
    return _taken(Hub(url, source, insecure=may_be_insecure(environ)), _named(source, environ))


def _named(source: Source, environ: Mapping[str, str]) -> str:
    """What commands show to the hub."""
    if isinstance(source, RunningHub):
        return "its own user's token"
    return next((name for name in ("SWARM_API_KEY", "SWARM_JWT") if environ.get(name)), "the stored credential")


def _taken(hub: Hub, credential: str) -> Check:
    try:
        hub.get("provider")
    except NotAuthenticated as error:
        return Check("credential", "wrong", f"the hub refuses {credential}: {error.detail}", "swarm login")
    except Forbidden as error:
        mend = "swarm login, with a key of more scopes"
        return Check("credential", "note", f"the hub knows {credential}, but: {error.detail}", mend)
    except SwarmError as error:
        return Check("credential", "wrong", error.detail)
    return Check("credential", "ok", f"the hub takes {credential}")


def _clock(date: str) -> Iterator[Check]:
    try:
        theirs = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return  # it tells no time
    ahead = (datetime.now(UTC) - theirs.replace(tzinfo=theirs.tzinfo or UTC)).total_seconds()
    if abs(ahead) <= CLOCKS_MAY_DIFFER:
        yield Check("clock", "ok", "as the hub's")
        return
    found = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the hub's: tokens seem too old or too new"
    yield Check(
        "clock",
        "wrong",
        found,
        "sudo sntp -sS time.apple.com" if sys.platform == "darwin" else "timedatectl set-ntp true",
    )


def _exposure(url: str) -> Iterator[Check]:
    parts = urlsplit(url)
    if not is_loopback(parts.hostname):
        if parts.scheme != "https":
            found = f"{url} is plain http beyond this machine: whoever is on the way can read it"
            yield Check(
                "transport", "wrong", found, "put it behind https, then swarm config set orchestratorUrl https://…"
            )
        return
    address = own_address()
    if address and _answers(address, parts.port or 80):
        found = f"other machines reach it, at {address}, and in the clear unless a proxy with https is before it"
        yield Check("reach", "note", found, "start it with HOST=127.0.0.1, or with a firewall and TRUSTED_PROXIES")


def own_address() -> str:
    """This machine's address towards others; empty when there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        try:
            sender.connect(_DOCUMENTATION)  # sends nothing: it only finds the way
        except OSError:
            return ""
        return str(sender.getsockname()[0])


def _answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1.0).close()
    except OSError:
        return False
    return True
