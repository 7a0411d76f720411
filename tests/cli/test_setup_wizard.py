"""`swarm setup` on a terminal: everything is asked before anything is written."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.dialogue import Dialogue
from cli.program import Swarm
from hubs import HubProcess

KEY = "sk-ant-api03-" + "k" * 40
QUESTIONS = {
    "Where agents run": "", "The hub's address": "", "Anthropic API key": "", "GitHub token": "", "Model": "",
    "Priority": "", "Minutes": "",
}  # fmt: skip


def folder(swarm: Swarm) -> Path:
    return swarm.folder / "home/.config/claude-swarm"


def config(swarm: Swarm) -> dict[str, Any]:
    path = folder(swarm) / "config.json"
    return json.loads(path.read_text()) if path.exists() else {}


def files(swarm: Swarm) -> dict[str, bytes]:
    """All that is kept, without what locks it."""
    return {path.name: path.read_bytes() for path in folder(swarm).glob("*") if path.suffix != ".lock"}


def run(swarm: Swarm, answers: Mapping[str, str], *flags: str) -> tuple[int, str]:
    """Answer the questions in their order."""
    with Dialogue(swarm, "setup", *flags, NO_COLOR="1") as dialogue:
        for question, answer in answers.items():
            dialogue.answer(question, answer)
        return dialogue.end()


def test_enter_everywhere_changes_nothing(lonely: Swarm) -> None:
    code, seen = run(lonely, QUESTIONS)
    assert code == 0
    assert "nothing to change" in seen
    assert files(lonely) == {}


def test_the_answers_are_kept(lonely: Swarm) -> None:
    answers = {"Model": "opus", "Priority": "high", "Minutes": "2.5", "Anthropic API key": KEY}
    assert run(lonely, {**QUESTIONS, **answers})[0] == 0
    assert config(lonely) == {"defaultModel": "opus", "defaultPriority": "high", "defaultTimeoutMinutes": 2.5}
    assert lonely("config", "get", "anthropic-api-key").stdout == "set (encrypted file)\n"


def test_a_key_does_not_show(lonely: Swarm) -> None:
    _, seen = run(lonely, {**QUESTIONS, "Anthropic API key": KEY})
    assert KEY not in seen
    assert "kkkk" not in seen


def test_what_was_changed_is_told_with_the_next_command(lonely: Swarm) -> None:
    _, seen = run(lonely, {**QUESTIONS, "Model": "opus", "Anthropic API key": KEY})
    told = seen.partition("saved in")[2].splitlines()
    assert told[1].split() == ["defaultModel", "opus"]
    assert told[2].split() == ["anthropic-api-key", "in", "the", "encrypted", "file"]
    assert told[3] == "next: swarm orchestrator start --background"


def test_enter_keeps_what_there_is(lonely: Swarm) -> None:
    run(lonely, {**QUESTIONS, "Model": "opus", "Anthropic API key": KEY})
    before = files(lonely)
    _, seen = run(lonely, QUESTIONS)
    assert "[opus]: " in seen
    assert "[set: encrypted file]: " in seen
    assert files(lonely) == before


def test_a_dash_takes_it_away(lonely: Swarm) -> None:
    run(lonely, {**QUESTIONS, "Model": "opus", "Anthropic API key": KEY})
    assert run(lonely, {**QUESTIONS, "Model": "-", "Anthropic API key": "-"})[0] == 0
    assert files(lonely) == {"config.json": b"{}\n"}


def test_a_wrong_answer_is_told_and_asked_for_again(lonely: Swarm) -> None:
    with Dialogue(lonely, "setup", "--provider", "local") as dialogue:
        dialogue.answer("The hub's address", "hub")
        dialogue.answer("orchestratorUrl: 'hub' is no address of a hub", "http://127.0.0.1:4000")
        dialogue.answer("Anthropic API key", "sk-wrong")
        dialogue.answer("anthropic-api-key: it has the wrong form", KEY)
        for question in list(QUESTIONS)[3:]:
            dialogue.answer(question, "")
        code, seen = dialogue.end()
    assert code == 0
    assert "sk-wrong" not in seen
    assert config(lonely) == {"executorType": "local", "orchestratorUrl": "http://127.0.0.1:4000"}


@pytest.mark.parametrize(
    ("provider", "fields"),
    [
        ("fly", {"Fly app": "shop", "Fly region": "ord", "Container image": "registry/image"}),
        ("azure", {"subscription": "id", "resource group": "rg", "environment": "env", "job": "job"}),
    ],
)
def test_a_provider_is_asked_its_own_fields_and_what_it_needs_is_said(
    lonely: Swarm, provider: str, fields: dict[str, str]
) -> None:
    rest = list(QUESTIONS)[1:]
    fly_token = {"Fly token": ""} if provider == "fly" else {}
    answers = {**fields, **dict.fromkeys(rest[:3], ""), **fly_token, **dict.fromkeys(rest[3:], "")}
    code, seen = run(lonely, answers, "--provider", provider)
    assert code == 0
    assert f"workers at {provider} reach a hub by its PUBLIC_URL" in " ".join(seen.split())
    assert "next: swarm orchestrator start --background" in seen
    assert {*config(lonely).values()} == {provider, *fields.values()}


@pytest.mark.parametrize("question", ["Where agents run", "Anthropic API key", "Minutes"])
def test_ctrl_c_leaves_everything_as_it_was(lonely: Swarm, question: str) -> None:
    lonely("config", "set", "defaultModel", "haiku")
    before = files(lonely)
    with Dialogue(lonely, "setup") as dialogue:
        for asked in QUESTIONS:
            if asked == question:
                dialogue.read_until(asked)
                dialogue.press_ctrl_c()
                break
            dialogue.answer(asked, {"Where agents run": "fly", "Anthropic API key": KEY}.get(asked, ""))
            if asked == "Where agents run":
                for field in ("Fly app", "Fly region", "Container image"):
                    dialogue.answer(field, "x")
            if asked == "GitHub token":
                dialogue.answer("Fly token", "")
        code, seen = dialogue.end()
    assert code == 130
    assert "stopped; nothing was changed" in seen
    assert files(lonely) == before


def test_the_end_of_input_leaves_everything_as_it_was(lonely: Swarm) -> None:
    with Dialogue(lonely, "setup") as dialogue:
        dialogue.answer("Where agents run", "slurm")
        dialogue.read_until("The hub's address")
        dialogue.press_ctrl_d()
        code, seen = dialogue.end()
    assert code == 1
    assert "no more input; nothing was changed" in seen
    assert files(lonely) == {}


def test_another_hub_is_told_to_need_a_login(lonely: Swarm) -> None:
    lonely("setup", "--stdin", stdin='{"swarmApiKey": "sk_swarm_abcdef_' + "s" * 32 + '"}')
    _, seen = run(lonely, {**QUESTIONS, "The hub's address": "https://hub.example"})
    assert "swarm-api-key of the one before forgotten" in seen
    assert "next: swarm login" in seen


def test_keys_leave_the_plain_file(lonely: Swarm) -> None:
    folder(lonely).mkdir(parents=True, mode=0o700)
    plain = folder(lonely) / "credentials"
    plain.write_text(f"ANTHROPIC_API_KEY={KEY}\n")
    plain.chmod(0o600)
    _, seen = run(lonely, QUESTIONS)
    assert "anthropic-api-key moved from the plain file to the encrypted file" in seen
    assert not plain.exists()


@pytest.mark.parametrize(
    ("answers", "following"),
    [
        ({"Model": "opus"}, "swarm setup --check   calls all of it"),
        ({"Anthropic API key": KEY}, "swarm orchestrator stop && swarm orchestrator start --background"),
    ],
)
def test_a_hub_that_runs_is_started_again_only_for_what_it_is_given(
    tmp_path: Path, hub: HubProcess, answers: dict[str, str], following: str
) -> None:
    _, seen = run(Swarm(tmp_path), {**QUESTIONS, **answers})
    assert f"\nnext: {following}\n" in seen
