"""`swarm setup --check` calls what is set up: the hub, and whose keys are kept here."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.program import Swarm
from cli.services import Reply, Service
from hubs import HubProcess

KEY = "sk-ant-api03-" + "k" * 40
GITHUB_TOKEN = "ghp_" + "g" * 36
FLY_TOKEN = "FlyV1 fm2_" + "f" * 40
HUB = Reply(200, {"status": "ok", "version": "1", "checks": {}})


def verdicts(swarm: Swarm, **environ: str) -> dict[str, tuple[str, str, str]]:
    run = swarm("setup", "--check", "--json", **environ)
    checks = json.loads(run.stdout)["checks"]
    assert run.returncode == int(any(check["verdict"] == "wrong" for check in checks))
    for secret in (KEY, GITHUB_TOKEN, FLY_TOKEN):
        assert secret not in run.stdout + run.stderr
    return {check["name"]: (check["verdict"], check["found"], check["mend"]) for check in checks}


@pytest.fixture
def set_up(lonely: Swarm) -> Swarm:
    fields = {"anthropicApiKey": KEY, "githubToken": GITHUB_TOKEN, "flyApiToken": FLY_TOKEN, "flyAppName": "shop"}
    assert lonely("setup", "--stdin", stdin=json.dumps(fields)).returncode == 0
    return lonely


@pytest.fixture
def anybody() -> Iterator[Service]:
    with Service(Reply(200, {"login": "ada"})) as service:
        yield service


def bases(anthropic: str, others: str) -> dict[str, str]:
    return {"ANTHROPIC_BASE_URL": anthropic, "GITHUB_API_URL": others, "FLY_FLAPS_BASE_URL": others}


def test_all_is_well_where_all_answers(tmp_path: Path, hub: HubProcess, anybody: Service) -> None:
    swarm = Swarm(tmp_path, **bases(anybody.url, anybody.url))
    run = swarm("setup", "--check", ANTHROPIC_API_KEY=KEY, GITHUB_TOKEN=GITHUB_TOKEN)
    assert (run.returncode, run.stderr) == (0, "")
    assert [line.split()[:2] for line in run.stdout.splitlines()] == [
        ["✓", "config"], ["✓", "credentials"], ["✓", "git"], ["✓", "hub"], ["✓", "credential"], ["✓", "clock"],
        ["✓", "anthropic"], ["✓", "github"],
    ]  # fmt: skip


def test_each_is_asked_as_it_documents(set_up: Swarm, anybody: Service) -> None:
    found = verdicts(set_up, **bases(anybody.url, anybody.url))
    asked = {request.path: request.headers for request in anybody.asked}
    assert found["github"][:2] == ("ok", f"{anybody.url} takes the github-token (encrypted file), of ada")
    assert (asked["/v1/models?limit=1"]["x-api-key"], found["anthropic"][0]) == (KEY, "ok")
    assert asked["/v1/models?limit=1"]["anthropic-version"] == "2023-06-01"
    assert asked["/user"]["authorization"] == f"Bearer {GITHUB_TOKEN}"
    assert asked["/v1/apps/shop/machines?summary=true"]["authorization"] == FLY_TOKEN


@pytest.mark.parametrize(
    ("token", "header"),
    [
        ("fo1_" + "f" * 40, "Bearer fo1_" + "f" * 40),
        (f"fm2_{'f' * 20},fm2_{'g' * 20}", f"FlyV1 fm2_{'f' * 20},fm2_{'g' * 20}"),
    ],
)
def test_a_fly_token_is_sent_as_fly_sends_it(lonely: Swarm, anybody: Service, token: str, header: str) -> None:
    verdicts(lonely, FLY_API_TOKEN=token, FLY_FLAPS_BASE_URL=anybody.url)
    assert {request.path: request.headers["authorization"] for request in anybody.asked} == {
        "/v1/tokens/current": header
    }


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_wrong_and_can_be_replaced(set_up: Swarm, status: int) -> None:
    with Service(Reply(status)) as service:
        found = verdicts(set_up, **bases(service.url, service.url))
    refused = f"{service.url} refuses the anthropic-api-key (encrypted file): {status}"
    assert found["anthropic"] == ("wrong", refused, "swarm setup")
    assert (found["github"][0], found["fly"][0]) == ("wrong", "wrong")


def test_a_refused_key_of_the_environment_is_mended_there(set_up: Swarm) -> None:
    with Service(Reply(401)) as service:
        found = verdicts(set_up, ANTHROPIC_API_KEY="another", **bases(service.url, service.url))
    assert found["anthropic"][2] == "export ANTHROPIC_API_KEY=… with another one, or unset it"


@pytest.mark.parametrize("status", [404, 429, 529])
def test_an_answer_that_says_nothing_of_the_key_is_worth_a_note(set_up: Swarm, status: int) -> None:
    with Service(Reply(status)) as service:
        assert verdicts(set_up, **bases(service.url, service.url))["anthropic"][0] == "note"


def test_a_service_that_cannot_be_reached_is_said_to_be(set_up: Swarm, unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    found = verdicts(set_up, **bases(url, url))["anthropic"]
    assert found == ("wrong", f"{url}: Connection refused", f"see whether {url} can be reached from here")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_key_follows_a_redirect(set_up: Swarm, anybody: Service, status: int) -> None:
    with Service(Reply(status, headers={"Location": f"{anybody.url}/v1/models"})) as service:
        found = verdicts(set_up, **bases(service.url, service.url))
    assert found["anthropic"][0] == found["github"][0] == found["fly"][0] == "wrong"
    assert f"points elsewhere ({status})" in found["anthropic"][1]
    assert anybody.asked == []


def test_no_key_goes_over_plain_http_to_another_machine(set_up: Swarm) -> None:
    found = verdicts(set_up, **bases("http://gateway.invalid", "http://gateway.invalid"))
    for name in ("anthropic", "github", "fly"):
        assert found[name][0] == "wrong"
        assert "no key is sent there: gateway.invalid" in found[name][1]


@pytest.mark.parametrize("key", [KEY + "ü", KEY + "\n" + KEY])
def test_a_key_that_no_header_can_hold_is_not_shown(lonely: Swarm, anybody: Service, key: str) -> None:
    found = verdicts(lonely, ANTHROPIC_API_KEY=key, ANTHROPIC_BASE_URL=anybody.url)["anthropic"]
    assert found[1] == f"{anybody.url}: the key holds characters that no key has"


def test_without_keys(lonely: Swarm, anybody: Service) -> None:
    found = verdicts(lonely, **bases(anybody.url, anybody.url))
    assert found["anthropic"] == ("wrong", "no Anthropic API key", "swarm setup")
    assert found["github"][0] == "ok"
    assert "fly" not in found
    assert anybody.asked == []


def test_fly_without_a_token_is_wrong_where_it_is_the_provider(lonely: Swarm) -> None:
    lonely("config", "set", "executorType", "fly")
    assert verdicts(lonely)["fly"] == ("wrong", "no Fly token", "swarm setup --provider fly")


def test_simulated_agents_need_no_key(lonely: Swarm) -> None:
    assert verdicts(lonely, SIMULATE_MODE="true")["anthropic"][0] == "ok"


def test_a_hub_elsewhere_has_its_own_key(lonely: Swarm) -> None:
    assert verdicts(lonely, SWARM_URL="https://hub.invalid")["anthropic"][0] == "ok"


def test_a_config_that_cannot_be_read_is_all_there_is_to_say(lonely: Swarm) -> None:
    config = lonely.folder / "home/.config/claude-swarm/config.json"
    config.parent.mkdir(parents=True)
    config.write_text("[]")
    assert list(verdicts(lonely)) == ["config"]


def test_a_store_that_cannot_be_trusted_is_wrong(set_up: Swarm) -> None:
    (set_up.folder / "home/.config/claude-swarm/credentials.enc").write_bytes(b"x")
    found = verdicts(set_up)
    for name in ("credentials", "anthropic"):
        assert found[name][0] == "wrong"
        assert "credentials.enc: is damaged" in found[name][1]
