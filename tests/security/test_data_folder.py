"""The data folder holds prompts, logs, sessions and secrets: other users of the machine get nothing of it."""

import stat
from collections.abc import Callable
from pathlib import Path

from hub.starting import CONFIG, assert_refused
from hubs import HubProcess
from security.tasks import run


def open_to_others(folder: Path) -> list[str]:
    """What others can get at, once they have got here."""
    return [path.name for path in folder.iterdir() if path.lstat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]


async def test_others_read_nothing_even_in_a_folder_that_is_open_to_them(
    start_hub: Callable[..., HubProcess], repo: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    hub = start_hub()
    async with hub.client() as client:
        for place in ({"repo": str(repo)}, {"repo": f"file://{repo}"}, {}):
            await run(
                client, {"run": "echo secret > secret; echo secret > ignored; echo ignored > .gitignore"}, **place
            )
    assert open_to_others(hub.data_dir) == []


def test_a_folder_that_everybody_can_write_to_is_refused(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data_dir.mkdir()
    hub.data_dir.chmod(0o777)
    assert_refused(hub.environment, CONFIG, "SWARM_DATA_DIR", "everybody can write to")


def test_a_hub_writes_through_no_link_in_its_folder(start_hub: Callable[..., HubProcess], tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "data").mkdir()
    for name in ("hub.new", "worker.new", "jwt.new"):
        (tmp_path / "data" / name).symlink_to(tmp_path / "precious")
    start_hub()
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_hub_stops_well_whatever_its_note_became(hub: HubProcess) -> None:
    (hub.data_dir / "hub.json").write_text('{"pid": ')
    assert hub.stop() == 0
