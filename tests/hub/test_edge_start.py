"""What a hub that others can reach says of it when it starts."""

from collections.abc import Callable

import pytest

from hubs import HubProcess

Start = Callable[..., HubProcess]
BEYOND = {"HOST": "0.0.0.0", "JWT_SECRET": "j" * 40}  # noqa: S104  # that is the question
WARNING = "credentials travel in the clear"


def said(hub: HubProcess) -> str:
    hub.stop()
    return hub.log.read_text()


def test_one_that_others_reach_without_a_proxy_warns_of_it(start_hub: Start) -> None:
    assert WARNING in said(start_hub(**BEYOND))


@pytest.mark.parametrize("settings", [{}, {**BEYOND, "TRUSTED_PROXIES": "10.0.0.0/8"}], ids=["loopback", "proxy"])
def test_one_that_only_its_machine_or_its_proxy_reaches_does_not(start_hub: Start, settings: dict[str, str]) -> None:
    assert WARNING not in said(start_hub(**settings))
