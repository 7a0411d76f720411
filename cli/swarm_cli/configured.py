"""What every setting is now, and where it comes from: a variable, the config file, or nowhere."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from swarm_api.config import FIELDS, NUMBERS, check, checked_url, config_file, local_url, read_config

VARIABLES = {
    "executorType": "EXECUTOR_TYPE", "orchestratorUrl": "SWARM_URL", "flyAppName": "FLY_APP_NAME",
    "flyRegion": "FLY_REGION", "flyContainerImage": "FLY_CONTAINER_IMAGE",
    "azureSubscriptionId": "AZURE_SUBSCRIPTION_ID", "azureResourceGroup": "AZURE_RESOURCE_GROUP",
    "containerAppsEnvironment": "CONTAINER_APPS_ENVIRONMENT", "agentJobName": "AGENT_JOB_NAME",
}  # fmt: skip
"""The variables that win over settings, here or in a hub that is started here."""

DEFAULTS: Mapping[str, Any] = {
    "executorType": "local",
    "defaultModel": "sonnet",
    "defaultPriority": "normal",
    "defaultBudgetCents": 500,
    "defaultTimeoutMinutes": 60,
}

_LONGEST_NUMBER = 15  # characters


class Setting(NamedTuple):
    """`origin`: `environment`, `config`, `local hub` or `default`; None when there is no value."""

    name: str
    value: Any
    origin: str | None
    variable: str | None = None


def settings(environ: Mapping[str, str]) -> Iterator[Setting]:
    """Every field. Raises `BadConfig`."""
    config = read_config(config_file(environ))
    return (_setting(name, config, environ) for name in FIELDS)


def setting(name: str, environ: Mapping[str, str]) -> Setting:
    """One field. Raises `BadConfig`."""
    return _setting(name, read_config(config_file(environ)), environ)


def _setting(name: str, config: Mapping[str, Any], environ: Mapping[str, str]) -> Setting:
    variable = VARIABLES.get(name, "")
    if value := environ.get(variable):
        return Setting(
            name, checked_url(value, variable) if name == "orchestratorUrl" else value, "environment", variable
        )
    if name in config:
        return Setting(name, config[name], "config")
    if name == "orchestratorUrl":
        return Setting(name, local_url(environ), "local hub")
    return Setting(name, DEFAULTS.get(name), "default" if name in DEFAULTS else None)


def remark(name: str, value: Any) -> str:
    """What somebody who sets this should know; empty when it simply works."""
    if name == "executorType" and value != "local":
        return f"workers at {value} reach a hub by its PUBLIC_URL, which it needs for that"
    return ""


def parsed(name: str, text: str) -> Any:
    """The setting's value as it stands in the file. Raises `BadConfig`."""
    value: Any = text
    digits = text.replace(".", "", 1)
    if name in NUMBERS and digits.isascii() and digits.isdigit() and len(text) <= _LONGEST_NUMBER:
        value = float(text) if "." in text else int(text)
    check(name, value)
    return value
