"""The README says what the code does."""

import re

from frame.tree import ROOT
from swarm_cli.commands import COMMANDS
from swarm_hub.settings_table import SETTINGS


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading of the README, without its head."""
    section = (ROOT / "README.md").read_text().partition(f"\n## {heading}\n")[2]
    rows = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_the_table_of_commands_is_the_command_lines() -> None:
    documented = [re.match(r"`swarm (\w+)", row[0]) for row in table("Commands")]
    assert [match and match.group(1) for match in documented] == list(COMMANDS)


def test_the_table_of_settings_is_the_codes() -> None:
    documented = [
        (variable.strip("`"), default.strip("`"), meaning) for variable, default, meaning in table("Settings")
    ]
    assert documented == [(row.variable, row.default, row.meaning) for row in SETTINGS.values()]
