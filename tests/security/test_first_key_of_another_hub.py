"""A hub's first admin key is kept for that hub: clients of another one would send it there."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hubs import HubProcess
from swarm_api.credentials import Credentials

Start = Callable[..., HubProcess]


def configure(folder: Path, content: str) -> None:
    file = folder / "home/.config/claude-swarm/config.json"
    file.parent.mkdir(parents=True, mode=0o700)
    file.write_text(content)


def kept(hub: HubProcess) -> bool:
    return Credentials(hub.environment, pytest.fail).find("swarm-api-key") is not None


@pytest.mark.parametrize("config", [json.dumps({"orchestratorUrl": "https://hub.example"}), "{"])
def test_it_is_not_stored_beside_the_address_of_another(start_hub: Start, tmp_path: Path, config: str) -> None:
    configure(tmp_path, config)
    hub = start_hub(SWARM_BOOTSTRAP_KEY="")
    assert not kept(hub)
    assert "the first admin key is not in the credential store" in hub.log.read_text()
    assert "admin API key (shown once): sk_swarm_" in hub.said.read_text()


def test_it_is_stored_beside_its_own_address(start_hub: Start, tmp_path: Path) -> None:
    configure(tmp_path, json.dumps({"orchestratorUrl": "https://hub.example"}))
    assert kept(start_hub(SWARM_BOOTSTRAP_KEY="", PUBLIC_URL="https://hub.example/"))
