"""What `swarm setup --check` looks at: the hub, the keys, git. It calls them all."""

from collections.abc import Iterator, Mapping

from swarm_api.config import BadConfig, config_file, read_config
from swarm_api.credentials import Credentials
from swarm_cli.check import Check
from swarm_cli.checks import git_check, untold
from swarm_cli.checks_credentials import config_check, store_check
from swarm_cli.checks_hub import hub_checks
from swarm_cli.checks_services import anthropic_check, fly_checks, github_check


def setup_checks(environ: Mapping[str, str]) -> Iterator[Check]:
    """All checks, one after another; with a config that cannot be read none but that."""
    credentials = Credentials(environ, untold)
    yield config_check(environ)
    try:
        read_config(config_file(environ))
    except BadConfig:
        return
    yield store_check(environ, credentials)
    yield git_check()
    yield from hub_checks(environ)
    yield anthropic_check(environ, credentials)
    yield github_check(environ, credentials)
    yield from fly_checks(environ, credentials)
