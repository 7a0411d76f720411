"""Changing the config file."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from swarm_api.config import BadConfig, read_config
from swarm_api.config_file import change_config

EACH = 25
NAMES = ("flyAppName", "flyRegion", "flyContainerImage", "agentJobName")
WRITING = """
import sys
from pathlib import Path

from swarm_api.config import read_config
from swarm_api.config_file import change_config

path, name = Path(sys.argv[2]), sys.argv[3]
for number in range(int(sys.argv[1])):
    change_config(path, {name: str(number)})
    assert read_config(path)[name] == str(number)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / ".config" / "claude-swarm" / "config.json"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_what_is_set_is_read(path: Path) -> None:
    assert change_config(path, {"flyRegion": "ord", "defaultBudgetCents": 5}) == {}
    assert read_config(path) == {"flyRegion": "ord", "defaultBudgetCents": 5}


def test_it_returns_what_was_there(path: Path) -> None:
    change_config(path, {"flyRegion": "ord"})
    assert change_config(path, {"flyRegion": "sjc"}) == {"flyRegion": "ord"}


def test_none_takes_a_setting_away_and_leaves_the_others(path: Path) -> None:
    change_config(path, {"flyRegion": "ord", "flyAppName": "shop"})
    change_config(path, {"flyRegion": None, "agentJobName": None})
    assert read_config(path) == {"flyAppName": "shop"}


def test_the_file_and_the_folders_made_for_it_are_private(path: Path) -> None:
    before = os.umask(0)
    change_config(path, {"flyRegion": "ord"})
    os.umask(before)
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)


def test_a_file_that_was_wide_is_private_after_a_change(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    path.chmod(0o644)
    change_config(path, {"flyRegion": "ord"})
    assert mode(path) == 0o600


def test_a_folder_that_is_there_keeps_its_mode(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o755)
    change_config(path, {"flyRegion": "ord"})
    assert mode(path.parent) == 0o755


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.json"
    target.write_text('{"flyAppName": "shop"}')
    path.parent.mkdir(parents=True)
    path.symlink_to(target)
    change_config(path, {"flyRegion": "ord"})
    assert path.is_symlink()
    assert json.loads(target.read_text()) == {"flyAppName": "shop", "flyRegion": "ord"}


def test_a_link_to_itself_is_told(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.symlink_to(path)
    with pytest.raises(BadConfig, match=r"config\.json: "):
        change_config(path, {"flyRegion": "ord"})


@pytest.mark.parametrize("changes", [{"flyRegion": "ord", "flyRegoin": "x"}, {"flyRegion": "ord", "executorType": ""}])
def test_one_wrong_setting_and_nothing_changes(path: Path, changes: Mapping[str, Any]) -> None:
    with pytest.raises(BadConfig):
        change_config(path, changes)
    assert not path.exists()


def test_a_file_that_cannot_be_read_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(BadConfig, match="not JSON"):
        change_config(path, {"flyRegion": "ord"})
    assert path.read_text() == "{"


def test_a_draft_that_a_killed_writer_left_is_no_obstacle(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.with_name("config.json.new").write_text("{")
    change_config(path, {"flyRegion": "ord"})
    assert read_config(path) == {"flyRegion": "ord"}


def test_of_writers_at_once_none_undoes_another(path: Path) -> None:
    command = [sys.executable, "-c", WRITING, str(EACH), str(path)]
    writers = [subprocess.Popen([*command, name]) for name in NAMES]
    assert [writer.wait(60) for writer in writers] == [0] * len(NAMES)
    assert read_config(path) == dict.fromkeys(NAMES, str(EACH - 1))
