"""The hub that commands would talk to: whether it answers, takes our credential, and has our time."""

import socket
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from swarm_api.addresses import is_loopback
from swarm_api.config import BadConfig, config_file, hub_url, read_config
from swarm_api.credentials import CredentialError
from swarm_api.errors import Forbidden, NotAuthenticated, SwarmError
from swarm_cli import local_hub
from swarm_cli.check import Check
from swarm_cli.probe import Answer, NoAnswer, ask
from swarm_cli.reading import connect

CLOCKS_MAY_DIFFER = 30.0  # seconds; the hub allows tokens as much
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
        yield _authentication(environ)
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


def _authentication(environ: Mapping[str, str]) -> Check:
    """Asked with what a command would send."""
    try:
        connect(None, environ).get("provider")
    except NotAuthenticated as error:
        return Check("credential", "wrong", f"the hub refuses us: {error.detail}", "swarm login")
    except Forbidden as error:
        return Check(
            "credential", "note", f"the hub knows us, but: {error.detail}", "swarm login, with a key of more scopes"
        )
    except (SwarmError, BadConfig, CredentialError) as error:
        return Check("credential", "wrong", str(error))
    return Check("credential", "ok", "the hub takes the one that commands send")


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
    if url.startswith("http://") and not is_loopback(urlsplit(url).hostname):
        found = f"{url} is plain http beyond this machine: whoever is on the way can read it"
        yield Check("transport", "wrong", found, "put it behind https, then swarm config set orchestratorUrl https://…")
