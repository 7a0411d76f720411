"""`swarm orchestrator`: one hub on this machine, started, found and stopped, and nothing else touched."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cli.program import LIMIT, Swarm
from cli.work import script
from hubs import ADMIN_KEY
from waiting import until

KEY = "sk-ant-api03-" + "k" * 40
SETTINGS = {"PORT": "0", "SWARM_RUNTIME": "scripted", "SWARM_BOOTSTRAP_KEY": ADMIN_KEY}
NO_KEY_YET = {"SWARM_BOOTSTRAP_KEY": ""}


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Swarm]:
    """`swarm` on a machine of its own, whose hub and agents are gone at the end."""
    swarm = Swarm(tmp_path, **SETTINGS, SWARM_REPO_ROOTS=str(tmp_path))
    yield swarm
    if (pid := noted(swarm).get("pid")) and psutil.pid_exists(pid):
        psutil.Process(pid).kill()
    for lock in tmp_path.glob("data/agents/*/lock"):
        for worker in psutil.process_iter():
            if worker.pid == json.loads(lock.read_text() or "{}").get("pid"):
                worker.kill()


def noted(swarm: Swarm) -> dict[str, int]:
    note = swarm.folder / "data/hub.json"
    return json.loads(note.read_text()) if note.exists() else {}


def leave_note(swarm: Swarm, pid: int) -> None:
    data = swarm.folder / "data"
    data.mkdir()
    note = {"pid": pid, "startTime": 1.0, "url": "http://127.0.0.1:9", "version": "0"}
    (data / "hub.json").write_text(json.dumps(note))
    (data / "hub.json").chmod(0o600)


def test_a_hub_in_the_background_accepts_before_start_returns(local: Swarm) -> None:
    run = local("orchestrator", "start", "--background")
    assert (run.returncode, run.stderr) == (0, "")
    assert local("status", SWARM_URL=run.stdout.strip()).returncode == 0


def test_it_is_found_by_what_it_notes(local: Swarm) -> None:
    local("orchestrator", "start", "--background")
    assert json.loads(local("status", "--json").stdout)["tasks"] == []


def test_it_leads_a_session_of_its_own_and_keeps_its_output(local: Swarm) -> None:
    local("orchestrator", "start", "--background")
    pid = noted(local)["pid"]
    assert os.getsid(pid) == pid
    log = local.folder / "data/hub.log"
    assert "claude-swarm hub" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_status_says_where_it_is(local: Swarm) -> None:
    url = local("orchestrator", "start", "--background").stdout.strip()
    run = local("orchestrator", "status", "--json")
    found = json.loads(run.stdout)
    assert run.returncode == 0
    assert (found["running"], found["url"], found["pid"], found["agents"]) == (True, url, noted(local)["pid"], 0)


def test_without_a_hub_status_exits_with_1(local: Swarm) -> None:
    run = local("orchestrator", "status")
    assert run.returncode == 1
    assert "does not run" in run.stdout
    assert json.loads(local("orchestrator", "status", "--json").stdout) == {"running": False}


def test_a_second_one_is_refused_with_where_the_first_is(local: Swarm) -> None:
    url = local("orchestrator", "start", "--background").stdout.strip()
    for arguments in (["--background"], []):
        run = local("orchestrator", "start", *arguments)
        assert run.returncode == 1
        assert run.stderr.startswith(f"error: the hub runs already, at {url} (pid {noted(local)['pid']})\n")


def test_stop_waits_until_it_is_gone(local: Swarm) -> None:
    local("orchestrator", "start", "--background")
    pid = noted(local)["pid"]
    run = local("orchestrator", "stop")
    assert (run.returncode, run.stdout) == (0, "the hub has stopped\n")
    assert not psutil.pid_exists(pid)
    assert not noted(local)


def test_stopping_what_does_not_run_is_no_failure(local: Swarm) -> None:
    run = local("orchestrator", "stop")
    assert (run.returncode, run.stdout) == (0, "the hub does not run\n")


def test_agents_go_on_without_it_and_their_end_is_known_afterwards(local: Swarm) -> None:
    url = local("orchestrator", "start", "--background").stdout.strip()
    task_id = local("submit", "-p", script({"say": "hello"}, {"wait_file": "go"}, {"say": "bye"})).stdout.strip()
    following = local.start("logs", task_id, "-f", SWARM_URL=url)
    assert following.stdout is not None
    while following.stdout.readline() != "hello\n":
        assert following.poll() is None
    assert "still at work: 1 agent; " in local("orchestrator", "stop").stdout
    (worktree,) = [path for path in (local.folder / "data/scratch").iterdir() if path.is_dir()]
    (worktree / "go").touch()
    local("orchestrator", "start", "--background", PORT=url.rpartition(":")[2])
    assert following.communicate(timeout=LIMIT)[0].splitlines()[-1] == "bye"
    assert following.returncode == 0


def test_a_busy_port_is_told(local: Swarm) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        behind = local("orchestrator", "start", "--background", PORT=port)
        before = local("orchestrator", "start", PORT=port)
    assert behind.returncode == 75
    assert behind.stderr.startswith(f"error: cannot listen on 127.0.0.1:{port}: Address already in use")
    assert before.returncode == 75
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in before.stderr


def test_a_setting_that_is_wrong_is_told_with_the_hubs_exit_code(local: Swarm) -> None:
    run = local("orchestrator", "start", "--background", MAX_PARALLEL_AGENTS="many")
    assert run.returncode == 78
    assert run.stderr.startswith("error: MAX_PARALLEL_AGENTS is 'many'; allowed: ")


@pytest.mark.parametrize("flags", [["--background"], []])
def test_a_relative_data_folder_is_refused_before_it_is_there(local: Swarm, flags: list[str]) -> None:
    run = local("orchestrator", "start", *flags, SWARM_DATA_DIR="here")
    assert run.returncode == 78
    assert "SWARM_DATA_DIR is 'here'; allowed: an absolute path\n" in run.stderr
    assert not (local.folder / "here").exists()


@pytest.mark.parametrize(
    ("environ", "warned"), [({}, True), ({"ANTHROPIC_API_KEY": "a-key"}, False), ({"SIMULATE_MODE": "true"}, False)]
)
def test_a_hub_whose_agents_have_no_key_starts_with_a_warning(
    local: Swarm, environ: dict[str, str], warned: bool
) -> None:
    run = local("orchestrator", "start", "--background", SWARM_RUNTIME="claude", **environ)
    assert run.returncode == 0
    assert ("no Anthropic API key is set or stored" in run.stderr) == warned


def test_a_data_folder_that_cannot_be_written_is_told(local: Swarm) -> None:
    (local.folder / "file").touch()
    folder = str(local.folder / "file" / "data")
    for arguments in (["--background"], []):
        run = local("orchestrator", "start", *arguments, SWARM_DATA_DIR=folder)
        assert run.returncode == 78
        assert f"SWARM_DATA_DIR is '{folder}', which cannot be written: Not a directory" in run.stderr
        assert "Traceback" not in run.stderr


def test_the_note_of_a_hub_that_is_gone_is_no_obstacle(local: Swarm) -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    leave_note(local, gone.pid)
    run = local("orchestrator", "start", "--background")
    assert run.returncode == 0
    assert run.stderr.startswith(f"the last hub (pid {gone.pid}) ended without a word; ")
    assert noted(local)["pid"] != gone.pid


def test_a_process_that_has_the_number_of_a_hub_that_is_gone_is_left_alone(local: Swarm) -> None:
    with subprocess.Popen(["sleep", "1000"]) as other:
        leave_note(local, other.pid)
        assert local("orchestrator", "status").returncode == 1
        assert local("orchestrator", "stop").stdout == "the hub does not run\n"
        assert other.poll() is None
        other.kill()


def test_a_hub_in_the_foreground_ends_with_ctrl_c(local: Swarm) -> None:
    hub = local.start("orchestrator", "start")
    assert hub.stderr is not None
    while " on http" not in hub.stderr.readline():
        assert hub.poll() is None
    hub.send_signal(signal.SIGINT)
    hub.communicate(timeout=LIMIT)
    assert hub.returncode == 0


def test_the_config_is_the_hubs_environment_where_none_is_set(local: Swarm) -> None:
    config = local.folder / "home/.config/claude-swarm/config.json"
    config.parent.mkdir(parents=True)
    config.write_text('{"executorType": "fly"}')
    refused = local("orchestrator", "start", "--background")
    assert refused.stderr.startswith("error: EXECUTOR_TYPE is 'fly', but FLY_API_TOKEN is not set")
    assert local("orchestrator", "start", "--background", EXECUTOR_TYPE="local").returncode == 0


def test_the_configured_budget_is_that_of_tasks_that_others_submit(local: Swarm) -> None:
    local("config", "set", "defaultBudgetCents", "250")
    url = local("orchestrator", "start", "--background").stdout.strip()
    (folder := local.folder / "elsewhere").mkdir()
    elsewhere = Swarm(folder, SWARM_URL=url, SWARM_JWT=str(noted(local)["token"]))
    task = json.loads(elsewhere("submit", "-p", "x", "--hold", "--json").stdout)
    assert task["budgetCents"] == 250


def test_a_stored_key_is_the_hubs(local: Swarm) -> None:
    assert local("setup", "--stdin", stdin=f'{{"anthropicApiKey": "{KEY}"}}').returncode == 0
    run = local("orchestrator", "start", "--background", SWARM_RUNTIME="claude")
    assert (run.returncode, run.stderr) == (0, "")


def test_a_store_that_cannot_be_trusted_is_told_before_a_hub_runs_without_a_key(local: Swarm) -> None:
    local("setup", "--stdin", stdin=f'{{"anthropicApiKey": "{KEY}"}}')
    store = local.folder / "home/.config/claude-swarm/credentials.enc"
    store.chmod(0o644)
    run = local("orchestrator", "start", "--background", SWARM_RUNTIME="claude")
    assert run.returncode == 1
    assert run.stderr.startswith(f"error: {store}: open to others (mode 0644); chmod 600 ")
    assert not noted(local)


def test_what_is_configured_for_other_providers_is_no_obstacle(local: Swarm) -> None:
    fields = {"flyAppName": "shop", "agentJobName": "job", "githubToken": "ghp_" + "a" * 36, "defaultTimeoutMinutes": 5}
    assert local("setup", "--stdin", stdin=json.dumps(fields)).returncode == 0
    assert local("orchestrator", "start", "--background").returncode == 0


def shown_key(text: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith("admin API key (shown once): ")]
    return line.rpartition(" ")[2]


def test_the_first_start_shows_the_admin_key_and_no_later_one_does(local: Swarm) -> None:
    first = local("orchestrator", "start", "--background", **NO_KEY_YET)
    key, url = shown_key(first.stderr), first.stdout.strip()
    assert local("agents", SWARM_API_KEY=key, SWARM_URL=url).returncode == 0
    local("orchestrator", "stop")
    assert local("orchestrator", "start", "--background", **NO_KEY_YET).stderr == ""


def test_a_terminal_shows_it_too(local: Swarm) -> None:
    code, seen = local.on_terminal("orchestrator", "start", "--background", SWARM_BOOTSTRAP_KEY="")
    assert code == 0
    assert shown_key(seen).startswith("sk_swarm_")


def test_the_log_of_a_hub_in_the_background_has_no_admin_key(local: Swarm) -> None:
    key = shown_key(local("orchestrator", "start", "--background", **NO_KEY_YET).stderr)
    assert key not in (local.folder / "data/hub.log").read_text()


async def test_a_hub_goes_on_when_who_started_it_is_killed_before_it_accepts(local: Swarm) -> None:
    starting = local.start("orchestrator", "start", "--background", **NO_KEY_YET)
    await until(lambda: (local.folder / "data/hub.lock").exists())
    starting.kill()
    starting.communicate()
    await until(lambda: noted(local))
    assert local("agents").returncode == 0
