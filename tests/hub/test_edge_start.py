"""How a hub prepares for those who reach it: it says who can listen, and has room for many."""

import resource
import sys
from collections.abc import Callable

import psutil
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


def test_one_that_listens_everywhere_is_found_on_loopback_by_its_own_machine(start_hub: Start) -> None:
    assert start_hub(**BEYOND).url.startswith("http://127.0.0.1:")


@pytest.mark.skipif(sys.platform != "linux", reason="only there the limits of others can be read")
def test_it_may_have_more_open_files_than_it_was_started_with(start_hub: Start) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        hub = start_hub()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert psutil.Process(hub.pid).rlimit(resource.RLIMIT_NOFILE)[0] == min(hard, 65_536)
