"""The hub as a git remote, with a real git on the other side."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from elsewhere.test_tasks import git
from hub.played import PlayedHub, Worker, played_hub
from hubs import ADMIN_KEY
from swarm_api.errors import MalformedRequest
from swarm_hub.mirrors.pushes import Command, read_commands

MEMORY = 150 * 1024 * 1024  # bytes that the hub may take more than before, with 200 MB passing through


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PlayedHub]:
    """One whose agents are elsewhere, by what it calls them."""
    async with played_hub(tmp_path, provider="fly") as hub:
        yield hub


class Outcome:
    def __init__(self, code: int, said: str) -> None:
        self.code = code
        self.said = said


async def call(folder: Path, token: str, *arguments: str) -> Outcome:
    """git, as somebody with this token."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_COUNT": "2", "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_CONFIG_VALUE_0": f"Authorization: Bearer {token}",
        "GIT_CONFIG_KEY_1": "safe.directory", "GIT_CONFIG_VALUE_1": "*", "LC_ALL": "C",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        "git", "-C", folder, *arguments, env=environment, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = await process.communicate()
    return Outcome(process.returncode or 0, out.decode(errors="replace"))


class Claimed:
    """A worker of a task in a repository, its order, and a clone as it makes one."""

    def __init__(self, worker: Worker, order: dict[str, object], folder: Path) -> None:
        self.worker = worker
        self.url = str(order["source"]["location"])  # type: ignore[index]
        self.base = str(order["source"]["baseRef"])  # type: ignore[index]
        self.branch = str(order["branch"])
        self.folder = folder

    async def git(self, *arguments: str) -> Outcome:
        return await call(self.folder, self.worker.token, *arguments)

    async def commit(self, name: str = "new.txt", content: bytes = b"new\n") -> None:
        (self.folder / name).write_bytes(content)
        git(self.folder, "add", "-A")
        git(self.folder, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-q", "-m", "New")


async def claimed(hub: PlayedHub, repo: Path, tmp_path: Path, name: str = "clone") -> Claimed:
    task = await hub.client.submit({"prompt": "Work", "repo": str(repo)})
    worker = await hub.worker(task.id)
    order = await worker.claim()
    folder = tmp_path / name
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    found = Claimed(worker, order, folder)
    fetched = await found.git("fetch", "-q", found.url, "+refs/swarm/base/*:refs/swarm/base/*")
    assert fetched.code == 0, fetched.said
    git(folder, "checkout", "-q", "-b", found.branch, found.base)
    return found


async def test_a_worker_fetches_the_commit_it_starts_from_and_pushes_its_branch(
    hub: PlayedHub, repo: Path, tmp_path: Path
) -> None:
    work = await claimed(hub, repo, tmp_path)
    assert work.base == git(repo, "rev-parse", "main")
    await work.commit()
    pushed = await work.git("push", work.url, f"HEAD:refs/heads/{work.branch}")
    assert pushed.code == 0, pushed.said


async def test_a_worker_sees_no_other_branch_of_its_repository(hub: PlayedHub, repo: Path, tmp_path: Path) -> None:
    git(repo, "branch", "secret")
    work = await claimed(hub, repo, tmp_path)
    listed = await work.git("ls-remote", work.url)
    refs = [line.split("\t")[1] for line in listed.said.splitlines()]
    assert [ref for ref in refs if not ref.startswith("refs/swarm/base/")] == []


@pytest.mark.parametrize("ref", [
    "refs/heads/main", "refs/heads/swarm/another", "refs/swarm/base/x", "refs/tags/v1", "HEAD", "refs/heads/../main",
])  # fmt: skip
async def test_a_push_to_anything_but_its_own_branch_is_refused(
    hub: PlayedHub, repo: Path, tmp_path: Path, ref: str
) -> None:
    work = await claimed(hub, repo, tmp_path)
    await work.commit()
    pushed = await work.git("push", work.url, f"HEAD:{ref}")
    assert pushed.code != 0
    assert git(repo, "branch", "--format=%(refname)") == "refs/heads/main"


async def test_a_branch_cannot_be_deleted(hub: PlayedHub, repo: Path, tmp_path: Path) -> None:
    work = await claimed(hub, repo, tmp_path)
    await work.commit()
    await work.git("push", work.url, f"HEAD:refs/heads/{work.branch}")
    deleted = await work.git("push", work.url, f":refs/heads/{work.branch}")
    assert deleted.code != 0
    assert work.branch in (await work.git("ls-remote", work.url)).said


async def test_a_worker_does_not_reach_the_repository_of_another_task(
    hub: PlayedHub, repo: Path, tmp_path: Path
) -> None:
    one, other = await claimed(hub, repo, tmp_path, "one"), await claimed(hub, repo, tmp_path, "other")
    refused = await call(tmp_path, one.worker.token, "ls-remote", other.url)
    assert refused.code != 0
    assert "not found" in refused.said


async def test_a_worker_whose_task_has_another_agent_is_turned_away(hub: PlayedHub, repo: Path, tmp_path: Path) -> None:
    work = await claimed(hub, repo, tmp_path)
    await work.commit()
    task_id = work.url.rsplit("/", 1)[1].removesuffix(".git")
    await work.worker.finish(status="failure")
    await hub.client.wait(task_id)
    await hub.client.retry(task_id)
    await hub.worker(task_id, attempt=2)
    pushed = await work.git("push", work.url, f"HEAD:refs/heads/{work.branch}")
    assert pushed.code != 0
    assert "409" in pushed.said


async def test_a_worker_changes_nothing_once_its_task_has_completed(hub: PlayedHub, repo: Path, tmp_path: Path) -> None:
    work = await claimed(hub, repo, tmp_path)
    await work.commit()
    await work.git("push", work.url, f"HEAD:refs/heads/{work.branch}")
    await work.worker.finish()
    await hub.client.wait(work.url.rsplit("/", 1)[1].removesuffix(".git"))
    await work.commit("later.txt")
    assert "409" in (await work.git("push", work.url, f"HEAD:refs/heads/{work.branch}")).said


@pytest.mark.parametrize("token", ["", "wrong", "local-agent-00000000.1.x"])
async def test_without_a_credential_nothing_is_there(hub: PlayedHub, repo: Path, tmp_path: Path, token: str) -> None:
    work = await claimed(hub, repo, tmp_path)
    assert (await call(tmp_path, token, "ls-remote", work.url)).code != 0


async def test_a_hook_in_the_repository_is_not_run(hub: PlayedHub, repo: Path, tmp_path: Path) -> None:
    work = await claimed(hub, repo, tmp_path)
    [mirror] = (tmp_path / "data/clones").glob("*.git")
    for name in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction", "proc-receive"):
        hook = mirror / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        hook.chmod(0o755)
    git(mirror, "config", "uploadpack.packObjectsHook", f"touch {tmp_path}/ran; false")
    await work.commit()
    pushed = await work.git("push", work.url, f"HEAD:refs/heads/{work.branch}")
    assert pushed.code == 0, pushed.said
    assert (await work.git("fetch", work.url, work.branch)).code == 0
    assert not (tmp_path / "ran").exists()


async def test_somebody_with_a_key_brings_code_and_takes_it_again(hub: PlayedHub, repo: Path, tmp_path: Path) -> None:
    url = f"{hub.url}/git/widget-1a2b.git"
    pushed = await call(repo, ADMIN_KEY, "push", url, "HEAD:refs/heads/main")
    assert pushed.code == 0, pushed.said
    cloned = await call(tmp_path, ADMIN_KEY, "clone", "-q", url, "copy")
    assert cloned.code == 0, cloned.said
    assert (tmp_path / "copy/README.md").read_text() == "# A sample\n"


async def test_a_part_of_a_repository_is_enough(hub: PlayedHub, repo: Path, tmp_path: Path) -> None:
    url = f"{hub.url}/git/widget.git"
    await call(repo, ADMIN_KEY, "push", url, "HEAD:refs/heads/main")
    cloned = await call(tmp_path, ADMIN_KEY, "clone", "-q", "--depth=1", "--filter=blob:none", "--bare", url, "copy")
    assert cloned.code == 0, cloned.said


@pytest.mark.parametrize("name", ["..", "%2e%2e", "a/b", "Widget", "-x", "x" * 64, "..%2f..%2fhub"])
async def test_no_name_leads_out_of_the_hubs_folder(hub: PlayedHub, repo: Path, tmp_path: Path, name: str) -> None:
    pushed = await call(repo, ADMIN_KEY, "push", f"{hub.url}/git/{name}.git", "HEAD:refs/heads/main")
    assert pushed.code != 0
    assert not list((tmp_path / "data").glob("uploads/*"))


@pytest.mark.parametrize("ref", ["refs/heads/swarm/mine", "refs/notes/x", "refs/heads/a..b", "refs/heads/x.lock"])
async def test_what_is_brought_goes_to_plain_branches_alone(hub: PlayedHub, repo: Path, ref: str) -> None:
    assert (await call(repo, ADMIN_KEY, "push", f"{hub.url}/git/widget.git", f"HEAD:{ref}")).code != 0


async def test_who_may_only_read_brings_nothing(hub: PlayedHub, repo: Path, tmp_path: Path) -> None:
    token = hub.bearer("tasks:read")["Authorization"].removeprefix("Bearer ")
    assert "403" in (await call(repo, token, "push", f"{hub.url}/git/widget.git", "HEAD:refs/heads/main")).said


async def test_two_hundred_megabytes_pass_in_bounded_memory(hub: PlayedHub, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.mkdir()
    git(big, "init", "-q", "-b", "main")
    for number in range(4):
        (big / f"{number}.bin").write_bytes(os.urandom(50 * 1024 * 1024))
    git(big, "add", "-A")
    git(big, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-q", "-m", "Big")
    me, url = psutil.Process(), f"{hub.url}/git/big.git"
    before = me.memory_info().rss
    pushed = await call(big, ADMIN_KEY, "push", url, "HEAD:refs/heads/main")
    assert pushed.code == 0, pushed.said
    cloned = await call(tmp_path, ADMIN_KEY, "clone", "-q", "--bare", url, "copy")
    assert cloned.code == 0, cloned.said
    assert me.memory_info().rss - before < MEMORY


async def test_the_result_of_a_task_is_fetched_by_its_id(hub: PlayedHub, repo: Path, tmp_path: Path) -> None:
    work = await claimed(hub, repo, tmp_path)
    await work.commit()
    await work.git("push", work.url, f"HEAD:refs/heads/{work.branch}")
    fetched = await call(repo, ADMIN_KEY, "fetch", "-q", work.url, f"{work.branch}:{work.branch}")
    assert fetched.code == 0, fetched.said
    assert git(repo, "show", f"{work.branch}:new.txt") == "new"


async def test_nobody_but_its_agent_pushes_to_a_task(hub: PlayedHub, repo: Path, tmp_path: Path) -> None:
    work = await claimed(hub, repo, tmp_path)
    await work.commit()
    refused = await call(work.folder, ADMIN_KEY, "push", work.url, f"HEAD:refs/heads/{work.branch}")
    assert "403" in refused.said


OLD, NEW = "1" * 40, "2" * 40


def pkt(text: str) -> bytes:
    return f"{len(text.encode()) + 4:04x}{text}".encode()


def test_commands_are_read_up_to_the_flush() -> None:
    sent = pkt(f"{OLD} {NEW} refs/heads/a\0 report-status\n") + pkt(f"{OLD} {NEW} refs/heads/b\n") + b"0000PACK"
    assert read_commands(sent) == [Command(OLD, NEW, "refs/heads/a"), Command(OLD, NEW, "refs/heads/b")]
    for cut in range(len(sent) - len(b"0000PACK") + 3):
        assert read_commands(sent[:cut]) is None


@pytest.mark.parametrize("sent", [
    b"zzzz", b"0001", b"0003abc", b"-001", pkt("push-cert\0"), pkt(f"{OLD} {NEW}\n"), pkt(f"{OLD} refs/heads/a"),
    pkt(f"{OLD} {NEW} refs/heads/a\nx"),
])  # fmt: skip
def test_what_is_no_push_is_not_taken_for_one(sent: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read_commands(sent + b"0000")
