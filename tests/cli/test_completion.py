"""What a shell is offered after <TAB>."""

import pytest

from cli.program import Swarm
from swarm_api.ids import short
from swarm_cli.commands import COMMANDS


def offered(swarm: Swarm, *words: str) -> list[str]:
    run = swarm(_SWARM_COMPLETE="complete_bash", COMP_WORDS=" ".join(words), COMP_CWORD=str(len(words) - 1))
    return run.stdout.split()


def test_commands(lonely: Swarm) -> None:
    assert offered(lonely, "swarm", "") == list(COMMANDS)


def test_commands_of_a_command(lonely: Swarm) -> None:
    assert offered(lonely, "swarm", "orchestrator", "st") == ["start", "stop", "status"]


def test_words_that_an_option_takes(lonely: Swarm) -> None:
    assert offered(lonely, "swarm", "submit", "--priority", "") == ["high", "normal", "low"]


@pytest.mark.parametrize("command", ["status", "logs", "cancel", "retry", "execute", "diff"])
def test_task_ids(swarm: Swarm, command: str) -> None:
    task_id = swarm("submit", "-p", "x", "--hold").stdout.strip()
    assert offered(swarm, "swarm", command, short(task_id)[:8])[0] == short(task_id)
    assert offered(swarm, "swarm", command, task_id[:12])[0] == task_id


def test_without_a_hub_nothing_is_offered_and_nothing_said(lonely: Swarm) -> None:
    run = lonely(
        _SWARM_COMPLETE="complete_bash", COMP_WORDS="swarm logs ", COMP_CWORD="2", SWARM_URL="http://127.0.0.1:9"
    )
    assert (run.stdout.strip(), run.stderr) == ("", "")


@pytest.mark.parametrize("shell", ["zsh", "bash"])
def test_a_prompt_is_never_run_by_the_shell_that_completes_it(swarm: Swarm, shell: str) -> None:
    """zsh evaluates what it is offered, the descriptions among it."""
    prompt = "\\$(touch owned) `touch owned` '; touch owned; ' \"; touch owned; \" [/red] \\"
    swarm("submit", "-p", prompt, "--hold")
    run = swarm(
        _SWARM_COMPLETE=f"complete_{shell}",
        _TYPER_COMPLETE_ARGS="swarm logs ",
        COMP_WORDS="swarm logs ",
        COMP_CWORD="2",
    )
    assert run.returncode == 0
    assert not set(run.stdout) & set("$`\\;[]")
