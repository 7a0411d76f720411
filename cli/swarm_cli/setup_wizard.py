"""The questions of `swarm setup`. They are all asked before anything is written."""

import sys
from collections.abc import Mapping
from typing import Any

from swarm_api.config import EXECUTORS, PRIORITIES, BadConfig, config_file, local_url, read_config
from swarm_api.credentials import CredentialError, Credentials
from swarm_api.credentials.formats import check as check_secret
from swarm_cli.configured import DEFAULTS, parsed, remark
from swarm_cli.faults import FAILED, INTERRUPTED, Fault
from swarm_cli.keyboard import without_echo
from swarm_cli.screen import Screen, safe, write
from swarm_cli.setup_changes import Changes, stored_credentials, warn

_REMOVE = "-"
_PROVIDER_FIELDS = {
    "fly": ("flyAppName", "flyRegion", "flyContainerImage"),
    "azure": ("azureSubscriptionId", "azureResourceGroup", "containerAppsEnvironment", "agentJobName"),
}
_QUESTIONS = {
    "executorType": f"Where agents run ({', '.join(EXECUTORS)})",
    "orchestratorUrl": "The hub's address",
    "flyAppName": "Fly app",
    "flyRegion": "Fly region",
    "flyContainerImage": "Container image",
    "azureSubscriptionId": "Azure subscription id",
    "azureResourceGroup": "Azure resource group",
    "containerAppsEnvironment": "Container Apps environment",
    "agentJobName": "Container Apps job",
    "defaultModel": "Model (opus, sonnet, haiku or a full id)",
    "defaultPriority": f"Priority ({', '.join(PRIORITIES)})",
    "defaultTimeoutMinutes": "Minutes a task may take",
}
_SECRET_QUESTIONS = {
    "anthropic-api-key": "Anthropic API key",
    "github-token": "GitHub token, optional",
    "fly-api-token": "Fly token",
}


def ask_all(provider: str | None, environ: Mapping[str, str]) -> Changes:
    """What somebody at the terminal wants changed. Raises a `Fault` on ctrl-C and at the end of input."""
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]  # a TextIOWrapper, unless replaced
    try:
        return _Wizard(environ).changes(provider)
    except KeyboardInterrupt:
        write("")
        raise Fault("stopped; nothing was changed", exit_code=INTERRUPTED) from None
    except EOFError:
        write("")
        raise Fault("no more input; nothing was changed", exit_code=FAILED) from None


def leave_plain_file(environ: Mapping[str, str]) -> None:
    """Store anew what lies in the plain file, where there is a safer place."""
    credentials = stored_credentials(environ)
    for name, origin in credentials.origins().items():
        found = credentials.find(name) if origin == "plain file" else None
        if found is None:
            continue
        try:
            write(f"  {name} moved from the plain file to the {credentials.store(name, found.value)}")
        except CredentialError as error:
            warn(f"left in the plain file: {error}")


class _Wizard:
    """Takes down the answers that differ from what there is."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._config = read_config(config_file(environ))
        self._origins = Credentials(environ, warn).origins()
        self._screen = Screen.of(sys.stdout, environ)
        self._settings: dict[str, Any] = {}
        self._secrets: dict[str, str | None] = {}

    def changes(self, provider: str | None) -> Changes:
        write(f"Enter keeps what stands in [brackets], {_REMOVE} removes it, ctrl-C leaves everything as it was.\n")
        if provider is None:
            provider = self._ask("executorType") or "local"
        elif provider != self._config.get("executorType"):
            self._settings["executorType"] = provider
        if said := remark("executorType", provider):
            write(f"  Kept for later: {said}.")
        for name in _PROVIDER_FIELDS.get(provider, ()):
            self._ask(name)
        self._ask("orchestratorUrl")
        for name in ("anthropic-api-key", "github-token", *(["fly-api-token"] if provider == "fly" else [])):
            self._ask_secret(name)
        write("\nWhat tasks are given that say nothing else:")
        for name in ("defaultModel", "defaultPriority", "defaultTimeoutMinutes"):
            self._ask(name)
        return Changes(self._settings, self._secrets)

    def _ask(self, name: str) -> Any:
        """The setting from now on; None: there is none."""
        now = self._config.get(name)
        shown = self._default(name) if now is None else now
        while True:
            answer = self._line(f"{_QUESTIONS[name]}{f' [{shown}]' if shown is not None else ''}: ").strip()
            if not answer:
                return shown
            if answer == _REMOVE:
                self._settings |= {name: None} if now is not None else {}
                return None
            try:
                value = parsed(name, answer)
            except BadConfig as error:
                write(self._screen.paint("red", f"  {safe(str(error))}"))
                continue
            self._settings |= {name: value} if value != now else {}
            return value

    def _ask_secret(self, name: str) -> None:
        origin = self._origins[name]
        state = f" [set: {origin}]" if origin else ""
        while True:
            with without_echo():
                answer = self._line(f"{_SECRET_QUESTIONS[name]} (not shown){state}: ").strip()
            write("")
            if not answer:
                return
            if answer == _REMOVE:
                self._secrets |= {name: None} if origin else {}
                return
            try:
                check_secret(name, answer)
            except CredentialError as error:
                write(self._screen.paint("red", f"  {safe(str(error))}"))
                continue
            self._secrets[name] = answer
            return

    def _default(self, name: str) -> Any:
        return local_url(self._environ) if name == "orchestratorUrl" else DEFAULTS.get(name)

    def _line(self, question: str) -> str:
        """Raises `EOFError`, and a `Fault` for what is no text."""
        sys.stdout.write(question)
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        if "\ufffd" in line:
            raise Fault("what was typed is not UTF-8; nothing was changed")
        return line
