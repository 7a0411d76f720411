"""Where a credential may travel, and which addresses are the same server."""

import pytest

from swarm_api.addresses import InsecureAddress, is_loopback, keep_private, origin

HERE = ["localhost", "127.0.0.1", "127.0.0.2", "127.255.255.254", "::1"]
ELSEWHERE = [
    "hub.example", "10.0.0.1", "0.0.0.0", "::", "::2", "128.0.0.1", "localhost.example", "127.0.0.1.example",  # noqa: S104
    "127.0.0.01", "127.1", "2130706433", "0x7f000001", "::ffff:127.0.0.1", "localhost.", "", None,
]  # fmt: skip


@pytest.mark.parametrize("host", HERE)
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_what_may_be_another_machine_is_no_loopback(host: str | None) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("url", ["http://LOCALHOST:3000", "http://[::1]:1/hub", "https://hub.example", "HTTPS://hub"])
def test_a_credential_may_travel_within_this_machine_and_over_https(url: str) -> None:
    keep_private(url)


@pytest.mark.parametrize(
    "url", ["http://hub.example", "http://127.0.0.1@hub.example", "http://hub.example/127.0.0.1", "ftp://hub", "//hub"]
)
def test_a_credential_may_not_travel_in_the_open(url: str) -> None:
    with pytest.raises(InsecureAddress):
        keep_private(url)


def test_an_error_repeats_no_password_of_an_address() -> None:
    with pytest.raises(InsecureAddress) as refused:
        keep_private("http://ada:canary@hub.example")
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://hub.example", "https://HUB.example:443/swarm"),
        ("http://[::1]:80", "http://[::1]"),
        ("http://localhost:3000/", "http://localhost:3000"),
    ],
)
def test_the_same_server(one: str, other: str) -> None:
    assert origin(one) == origin(other) is not None


@pytest.mark.parametrize(
    "other",
    ["http://hub.example", "https://hub.example:444", "https://hub.example.org", "https://a.hub.example", "hub.example",
     "https://hub.example:no", "ftp://hub.example", "https://", ""],
)  # fmt: skip
def test_another_server(other: str) -> None:
    assert origin(other) != origin("https://hub.example")
