"""`swarm keys`: made, seen, ended."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.program import Swarm
from hubs import ADMIN_KEY, HubProcess
from swarm_api.ids import API_KEY


@pytest.fixture
def swarm(tmp_path: Path, hub: HubProcess) -> Swarm:
    """`swarm` of somebody who may do everything, at a hub of the test's own: it counts who asks about keys."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return Swarm(folder, SWARM_URL=hub.url, SWARM_API_KEY=ADMIN_KEY)


def made(swarm: Swarm, name: str, *flags: str, **environ: str) -> str:
    """The text of a new key."""
    run = swarm("keys", "create", name, *flags, **environ)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def id_of(key: str) -> str:
    match = API_KEY.fullmatch(key)
    assert match is not None
    return f"key_{match[1]}"


def listed(swarm: Swarm) -> dict[str, Any]:
    """The keys by their names."""
    return {key["name"]: key for key in json.loads(swarm("keys", "list", "--json").stdout)["keys"]}


def test_a_pipe_gets_the_key_alone_and_people_the_rest(swarm: Swarm) -> None:
    run = swarm("keys", "create", "ci")
    key = run.stdout.removesuffix("\n")
    assert run.stderr == f"{id_of(key)}  ci  may tasks:read tasks:write agents:read, for ever\n"
    assert swarm("status", SWARM_API_KEY=key).returncode == 0


def test_a_terminal_is_told_that_it_sees_it_once(swarm: Swarm) -> None:
    code, said = swarm.on_terminal("keys", "create", "ci", NO_COLOR="1")
    described, key, hint = said.splitlines()
    assert code == 0
    assert described == f"{id_of(key)}  ci  may tasks:read tasks:write agents:read, for ever"
    assert hint == "shown this once; it is used by swarm login, or as SWARM_API_KEY"


def test_json_is_the_apis_own(swarm: Swarm) -> None:
    run = swarm("keys", "create", "ci", "--expires", "3", "--json")
    assert set(json.loads(run.stdout)) == {"id", "key", "name", "scopes", "expiresAt"}
    assert run.stderr == ""


@pytest.mark.parametrize(
    "flags", [["--scope", "tasks:read", "--scope", "metrics:read"], ["--scope", "tasks:read,metrics:read"]]
)
def test_a_key_may_what_is_said(swarm: Swarm, flags: list[str]) -> None:
    key = made(swarm, "reader", *flags)
    assert listed(swarm)["reader"]["scopes"] == ["tasks:read", "metrics:read"]
    run = swarm("submit", "-p", "x", SWARM_API_KEY=key)
    assert run.returncode == 3
    assert run.stderr == (
        "error: this takes the scope tasks:write\n"
        " hint: swarm login with a key that has it: swarm keys create NAME --scope tasks:write\n"
    )


def test_a_key_cannot_give_what_its_maker_lacks(swarm: Swarm) -> None:
    run = swarm("keys", "create", "more", "--scope", "admin", SWARM_API_KEY=made(swarm, "ci"))
    assert (run.returncode, run.stdout) == (3, "")
    assert "admin" in run.stderr.splitlines()[0]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["ci", "--scope", "everything"], "scopes.0: input should be 'tasks:read', 'tasks:write'"),
        (["ci", "--scope", "admin,admin"], "scopes: must name each scope once"),
        (["ci", "--expires", "0"], "expiresInDays: "),
        (["ci", "--expires", "soon"], "'--expires'"),
        ([""], "name: "),
        (["a\tb"], "name: "),
        ([], "NAME"),
    ],
)
def test_a_wish_that_cannot_be_is_wrong_usage(swarm: Swarm, flags: list[str], told: str) -> None:
    run = swarm("keys", "create", *flags)
    assert (run.returncode, run.stdout) == (2, "")
    assert told in run.stderr


def test_the_list_names_keys_and_shows_none(swarm: Swarm) -> None:
    key = made(swarm, "ci", "--expires", "30")
    secret = key.rpartition("_")[2]
    for arguments in (["keys", "list"], ["keys", "list", "--json"]):
        said = swarm(*arguments).stdout
        assert id_of(key) in said
        assert secret not in said


def test_a_pipe_gets_whole_values_and_a_terminal_a_table_that_fits(swarm: Swarm) -> None:
    key = made(swarm, "the one for the " + "long" * 10)
    row = swarm("keys", "list").stdout.splitlines()[0].split("\t")
    assert row == [id_of(key), "for ever", "tasks:read tasks:write agents:read", "key_ofthetests",
                   "the one for the " + "long" * 10]  # fmt: skip
    _, said = swarm.on_terminal("keys", "list", columns=80, NO_COLOR="1")
    assert said.splitlines()[0].split() == ["KEY", "NAME", "MAY", "MADE", "BY", "UNTIL"]
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    "form", ["key_{0}", "{0}", "key_{1}", "{1}", "sk_swarm_{0}", "sk_swarm_{1}…", "sk_swarm_{0}_{2}"]
)
def test_a_key_is_ended_by_whatever_is_known_of_it(swarm: Swarm, form: str) -> None:
    key = made(swarm, "ci")
    id_, secret = key.removeprefix("sk_swarm_").split("_")
    run = swarm("keys", "revoke", form.format(id_, id_[:8], secret))
    assert run.stdout == f"key_{id_}  ci  revoked: it and its tokens open nothing any more\n"
    assert secret not in run.stdout + run.stderr
    refused = swarm("status", SWARM_API_KEY=key)
    assert refused.returncode == 3
    assert refused.stderr == (
        "error: the API key was revoked\n hint: SWARM_API_KEY was sent: set another, or unset it and swarm login\n"
    )


def test_what_ends_with_a_key_is_told(swarm: Swarm) -> None:
    parent = made(swarm, "parent")
    child = made(swarm, "child", "--scope", "tasks:read", SWARM_API_KEY=parent)
    grandchild = made(swarm, "grandchild", "--scope", "tasks:read", SWARM_API_KEY=child)
    said = swarm("keys", "revoke", id_of(parent)).stdout.splitlines()
    assert said[1:] == [f"{id_of(child)}  child  ended with it", f"{id_of(grandchild)}  grandchild  ended with it"]
    assert swarm("status", SWARM_API_KEY=grandchild).returncode == 3


def test_what_an_admin_key_has_made_goes_on_without_it(swarm: Swarm) -> None:
    parent = made(swarm, "parent", "--scope", "admin")
    child = made(swarm, "child", SWARM_API_KEY=parent)
    assert len(swarm("keys", "revoke", id_of(parent)).stdout.splitlines()) == 1
    assert swarm("status", SWARM_API_KEY=child).returncode == 0


def test_a_key_ends_once(swarm: Swarm) -> None:
    key = id_of(made(swarm, "ci"))
    swarm("keys", "revoke", key)
    run = swarm("keys", "revoke", key)
    assert (run.returncode, run.stdout) == (0, f"{key}  ci  was revoked before\n")
    assert f"{key}\trevoked\t" in swarm("keys", "list").stdout


def test_one_that_is_not_there_keeps_the_others_from_nothing(swarm: Swarm) -> None:
    key = id_of(made(swarm, "ci"))
    run = swarm("keys", "revoke", "nobody", key)
    assert run.returncode == 4
    assert run.stderr == "error: there is no API key key_nobody\n hint: swarm keys list\n"
    assert listed(swarm)["ci"]["revokedAt"]


def test_the_key_of_the_hubs_environment_is_not_ended_by_a_command(swarm: Swarm) -> None:
    run = swarm("keys", "revoke", "ofthetests")
    assert run.returncode == 1
    assert "SWARM_BOOTSTRAP_KEY" in run.stderr


def test_nothing_at_all_is_no_id(swarm: Swarm) -> None:
    assert swarm("keys", "revoke", "").returncode == 4
    assert swarm("keys", "revoke").returncode == 2


@pytest.mark.parametrize("arguments", [["list"], ["create", "ci"], ["revoke", "x"]])
def test_without_a_credential(swarm: Swarm, arguments: list[str]) -> None:
    run = swarm("keys", *arguments, SWARM_API_KEY="")
    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr.endswith(" hint: swarm login\n")
