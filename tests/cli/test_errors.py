"""Errors are one clear line on stderr, with how to mend them, and the exit code of the contract."""

import subprocess
from os.path import commonprefix
from pathlib import Path

import pytest

from cli.program import PROGRAM, Swarm

READING = [
    ["status"],
    ["status", "x"],
    ["agents"],
    ["queue"],
    ["budget"],
    ["logs", "x"],
    ["logs", "x", "-f"],
    ["diff", "x"],
    ["watch"],
]
STEERING = [
    ["submit", "-p", "x"],
    ["cancel", "x"],
    ["retry", "x"],
    ["execute", "x"],
    ["execute", "--all"],
    ["budget", "set", "--daily", "5"],
]


@pytest.mark.parametrize("arguments", READING + STEERING, ids=" ".join)
def test_without_a_hub(lonely: Swarm, arguments: list[str], unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    run = lonely(*arguments, SWARM_URL=url)
    error, hint = run.stderr.splitlines()
    assert (run.returncode, run.stdout) == (5, "")
    assert error.startswith(f"error: no hub answers at {url}: ")
    assert hint == " hint: swarm orchestrator start --background"


def test_a_hub_elsewhere_is_not_started_here(lonely: Swarm) -> None:
    run = lonely("status", SWARM_URL="http://hub.invalid")
    assert run.returncode == 5
    assert run.stderr.endswith(" hint: --url URL, or SWARM_URL, names another hub\n")


@pytest.mark.parametrize(
    ("host", "url"), [("", "http://127.0.0.1"), ("localhost", "http://localhost"), ("shell", "http://127.0.0.1")]
)
def test_a_hub_that_does_not_run_is_looked_for_where_it_would_listen(
    lonely: Swarm, host: str, url: str, unused_tcp_port: int
) -> None:
    run = lonely("status", HOST=host, PORT=str(unused_tcp_port))
    assert run.stderr.startswith(f"error: no hub answers at {url}:{unused_tcp_port}: ")


def test_a_port_that_is_none_is_told(lonely: Swarm) -> None:
    run = lonely("status", PORT="web")
    assert (run.returncode, run.stderr) == (2, "error: PORT is 'web'; allowed: a whole number from 0 to 65535\n")


@pytest.mark.parametrize("url", ["hub", "ftp://hub", "http://user:pass@hub"])
def test_what_is_no_address_of_a_hub(lonely: Swarm, url: str) -> None:
    run = lonely("status", SWARM_URL=url)
    assert run.returncode == 2
    assert run.stderr.startswith("error: SWARM_URL: ")


def test_a_config_that_is_wrong(lonely: Swarm) -> None:
    config = lonely.folder / "home/.config/claude-swarm/config.json"
    config.parent.mkdir(parents=True)
    config.write_text('{"orchestratorURL": "http://127.0.0.1:1"}')
    run = lonely("status")
    assert run.returncode == 2
    assert run.stderr.startswith(f"error: {config}: unknown setting 'orchestratorURL'")


@pytest.mark.parametrize(
    "arguments", [["status", "zzz"], ["logs", "zzz"], ["logs", "zzz", "-f"], ["diff", "zzz"], ["retry", "zzz"]]
)
def test_a_task_that_is_not_there(swarm: Swarm, arguments: list[str]) -> None:
    run = swarm(*arguments)
    assert (run.returncode, run.stdout) == (4, "")
    assert run.stderr == "error: there is no task zzz\n hint: swarm status\n"


@pytest.mark.parametrize("word", ["", "../../x", "a/b", "a b"])
@pytest.mark.parametrize("command", ["status", "logs", "diff", "cancel", "retry", "execute"])
def test_what_is_no_id_is_the_id_of_no_task(lonely: Swarm, command: str, word: str) -> None:
    run = lonely(command, word)
    assert (run.returncode, run.stdout) == (4, "")
    assert run.stderr == f"error: there is no task {word or repr(word)}\n hint: swarm status\n"


@pytest.mark.parametrize("before", [["status"], ["status", "--search"], ["submit", "-p"], ["logs"]], ids=" ".join)
def test_an_argument_that_is_no_utf_8_is_told(lonely: Swarm, before: list[str]) -> None:
    run = lonely(*before, "a \udc9b31m")
    assert (run.returncode, run.stderr) == (2, "error: 'a \\x9b31m' is not UTF-8\n")


def test_an_id_that_begins_several(swarm: Swarm) -> None:
    ids = swarm("submit", "-", stdin="tasks: [{prompt: a, hold: true}, {prompt: b, hold: true}]").stdout.split()
    run = swarm("status", commonprefix(ids))  # noqa: RUF071  # ids are no paths
    assert run.returncode == 2
    assert all(task_id in run.stderr for task_id in ids)
    assert run.stderr.endswith(" hint: give more of the id\n")


def test_what_the_state_forbids(swarm: Swarm) -> None:
    task_id = swarm("submit", "-p", "x", "--hold").stdout.strip()
    run = swarm("retry", task_id)
    assert run.returncode == 1
    assert "only failed or cancelled tasks are retried" in run.stderr


@pytest.mark.parametrize("arguments", [["status"], ["--help"], ["status", "--limit", "5"], ["queue"]])
def test_a_reader_that_leaves_is_no_error(swarm: Swarm, arguments: list[str]) -> None:
    swarm("submit", "-p", "x", "--hold")
    command = f"{PROGRAM} {' '.join(arguments)} | true"
    run = subprocess.run(["sh", "-c", command], env=swarm.environ, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_behind_stdout_is_told(lonely: Swarm) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  # a device
        run = subprocess.run([PROGRAM, "--help"], env=lonely.environ, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (run.returncode, run.stderr) == (1, b"error: No space left on device\n")


def test_a_long_error_is_wrapped_on_words_beside_its_name(lonely: Swarm) -> None:
    _, said = lonely.on_terminal("budget", "set", "--daily", "12.345", columns=60, NO_COLOR="1")
    lines = said.splitlines()
    assert (lines[0].startswith("error: --daily: "), max(map(len, lines)) <= 60) == (True, True)
    assert all(line.startswith("       ") for line in lines[1:])
    assert " ".join(line[7:] for line in lines).endswith("with two decimals at most, as in 12.50")
