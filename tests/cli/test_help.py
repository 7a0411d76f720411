"""What `swarm` says of itself, and of commands that were not meant so."""

import pytest

from cli.program import PROGRAM, Swarm
from swarm_api import __version__
from swarm_cli.commands import COMMANDS

HEAVY = ("typer", "httpx", "pydantic", "rich", "yaml", "asyncio", "dataclasses", "psutil")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_names_every_command(lonely: Swarm, arguments: list[str]) -> None:
    run = lonely(*arguments)
    assert run.returncode == 0
    for name, entry in COMMANDS.items():
        assert f"  {name} " in run.stdout
        assert entry.summary in run.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(lonely: Swarm, name: str) -> None:
    run = lonely(name, "--help")
    assert run.returncode == 0
    assert f"Usage: swarm {name}" in run.stdout
    assert "Traceback" not in run.stderr


def test_help_may_be_asked_for_first(lonely: Swarm) -> None:
    assert lonely("help", "submit").stdout == lonely("submit", "--help").stdout


def test_the_version_is_the_packages(lonely: Swarm) -> None:
    assert lonely("--version").stdout == f"swarm {__version__}\n"


def test_a_command_that_is_not_there_is_answered_with_one_that_is(lonely: Swarm) -> None:
    run = lonely("sumbit")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "error: No such command 'sumbit'. Did you mean 'submit'?\n hint: swarm --help\n"


def test_wrong_usage_names_option_value_and_what_is_allowed(lonely: Swarm) -> None:
    run = lonely("submit", "-p", "x", "--priority", "urgent")
    assert run.returncode == 2
    assert "'--priority'" in run.stderr
    assert "'urgent' is not one of 'high', 'normal', 'low'" in run.stderr
    assert run.stderr.endswith(" hint: swarm submit --help\n")


def test_the_hub_may_be_named_before_the_command(lonely: Swarm) -> None:
    run = lonely("--url", "http://127.0.0.1:9", "agents")
    assert "http://127.0.0.1:9" in run.stderr


@pytest.mark.parametrize("arguments", [["status"], ["status", "0d4e", "--json"], ["--help"], []])
def test_what_must_feel_instant_imports_nothing_heavy(lonely: Swarm, arguments: list[str]) -> None:
    run = lonely(*arguments, PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines() if line.startswith("import time:")}
    assert "swarm_cli.main" in imported, PROGRAM
    assert imported.isdisjoint(HEAVY)
