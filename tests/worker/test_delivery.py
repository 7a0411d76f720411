"""Handing work over: by push, and as a patch."""

from pathlib import Path

import pytest

from swarm_api.worker import Source
from swarm_worker.delivery import MAX_PATCH, DeliveryFailed, make_patch, push
from swarm_worker.keeping import save
from worker.ground import BRANCH, Ground, commit, git, local, url, write


async def patch_of(ground: Ground, repo: Path, tmp_path: Path, files: dict[str, bytes]) -> str:
    checkout = await ground.open(local(repo))
    for name, content in files.items():
        (checkout.path / name).write_bytes(content)
    saved = await save(checkout, "work")
    return await make_patch(checkout, saved.commit, tmp_path)


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": b"changed\n", "new.txt": b"new\n"},
        {"crlf.txt": b"one\r\ntwo\r\n", "bare.txt": b"no newline", "tabs.txt": b"\t\x1b[31m\x07\n"},
        {"image.png": bytes(range(256)) * 4},
        {"latin-1.txt": "café\n".encode("latin-1"), "utf-8.txt": "café\n".encode()},
        {"odd name \t\n.txt": b"odd\n"},
    ],
)
async def test_a_patch_makes_the_base_into_the_work(
    ground: Ground, repo: Path, tmp_path: Path, files: dict[str, bytes]
) -> None:
    patch = await patch_of(ground, repo, tmp_path, files)
    (tmp_path / "work.patch").write_bytes(patch.encode())
    git(repo, "apply", "--index", str(tmp_path / "work.patch"))
    assert git(repo, "write-tree") == git(repo, "rev-parse", f"{BRANCH}^{{tree}}")
    assert {name: (repo / name).read_bytes() for name in files} == files


async def test_a_patch_of_nothing_is_empty(ground: Ground, repo: Path, tmp_path: Path) -> None:
    assert await patch_of(ground, repo, tmp_path, {}) == ""


async def test_a_patch_looks_the_same_whatever_the_user_has_configured(
    ground: Ground, repo: Path, tmp_path: Path
) -> None:
    for setting in (["diff.noprefix", "true"], ["diff.external", "false"], ["color.ui", "always"]):
        git(repo, "config", *setting)
    patch = await patch_of(ground, repo, tmp_path, {"README.md": b"changed\n"})
    assert patch.startswith("diff --git a/README.md b/README.md\nindex ")


@pytest.mark.parametrize(("character", "size"), [("x", MAX_PATCH), ('"', MAX_PATCH * 2 // 3)])
async def test_a_patch_that_is_too_big_is_refused(
    ground: Ground, repo: Path, tmp_path: Path, character: str, size: int
) -> None:
    """Its bytes count, and its bytes as JSON, where a quote takes two."""
    lines = (character * 99 + "\n").encode() * (size // 100)
    with pytest.raises(DeliveryFailed, match=r"the patch has .* bytes, of at most .*; the work is on the branch"):
        await patch_of(ground, repo, tmp_path, {"big.txt": lines})


@pytest.fixture
def origin(repo: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "-q", "--bare", str(repo), "origin.git")
    return tmp_path / "origin.git"


async def test_a_local_branch_is_pushed_to_the_repositorys_origin(ground: Ground, repo: Path, origin: Path) -> None:
    git(repo, "remote", "add", "origin", "../origin.git")  # relative to the user's folder, not to the worktree
    checkout = await ground.open(local(repo))
    own = commit(checkout.path, "a.txt")
    await push(checkout, local(repo).source, own)
    assert git(origin, "rev-parse", BRANCH) == own
    assert git(repo, "config", "--get-regexp", "^branch", ok=False) == ""


async def test_a_branch_of_a_clone_is_pushed_to_its_url_whatever_the_agent_made_of_origin(
    ground: Ground, repo: Path, origin: Path, tmp_path: Path
) -> None:
    order = url(f"file://{origin}")
    checkout = await ground.open(order)
    git(tmp_path, "init", "-q", "--bare", "elsewhere.git")
    git(checkout.path, "remote", "set-url", "origin", str(tmp_path / "elsewhere.git"))
    git(checkout.path, "config", "remote.origin.receivepack", f"touch {tmp_path}/ran; git-receive-pack")
    own = commit(checkout.path, "a.txt")
    await push(checkout, order.source, own)
    assert git(origin, "rev-parse", BRANCH) == own
    assert not (tmp_path / "ran").exists()


async def test_hooks_of_the_repository_do_not_run_on_a_push(
    ground: Ground, repo: Path, origin: Path, tmp_path: Path
) -> None:
    git(repo, "remote", "add", "origin", str(origin))
    write(repo / ".git/hooks", "pre-push", f"#!/bin/sh\ntouch '{tmp_path}/ran'\n").chmod(0o755)
    checkout = await ground.open(local(repo))
    await push(checkout, local(repo).source, commit(checkout.path, "a.txt"))
    assert not (tmp_path / "ran").exists()


async def test_a_push_without_a_remote_says_so(ground: Ground, repo: Path) -> None:
    checkout = await ground.open(local(repo))
    with pytest.raises(DeliveryFailed, match=f"{BRANCH} could not be pushed to origin: ") as caught:
        await push(checkout, Source(kind="local", location=str(repo)), checkout.base)
    assert caught.value.code == "push_failed"


async def test_a_push_never_overwrites_what_is_there(ground: Ground, repo: Path, origin: Path) -> None:
    git(repo, "remote", "add", "origin", str(origin))
    checkout = await ground.open(local(repo))
    theirs = commit(repo, "theirs.txt")
    git(repo, "push", "-q", "origin", f"main:refs/heads/{BRANCH}")
    with pytest.raises(DeliveryFailed, match="rejected"):
        await push(checkout, local(repo).source, commit(checkout.path, "ours.txt"))
    assert git(origin, "rev-parse", BRANCH) == theirs
