"""Where the code comes from: a repository on this machine, a URL, or nowhere yet."""

import hashlib
import os
import shutil
from pathlib import Path

from swarm_worker.checkout import Checkout, CheckoutFailed, Repository, checkout_of
from swarm_worker.git import Git, GitFailed, environment
from swarm_worker.gitconfig import Config
from swarm_worker.locks import Lock
from swarm_worker.worktrees import Site, confined, reclaim, save_earlier, start_over

FETCHED = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
HEAD = "+HEAD:refs/remotes/origin/HEAD"
NO_REPOSITORY = ("not found", "does not exist", "does not appear to be a git repository", "no such file")


async def open_local(path: Path) -> Repository:
    """The repository at a path. Raises `CheckoutFailed`."""
    if not path.is_dir():
        raise CheckoutFailed("repo_not_found", f"there is no folder {path} on the worker's machine")
    git, config = await Git.at(path)
    try:
        common = (await git.run("rev-parse", "--path-format=absolute", "--git-common-dir")).strip()
    except GitFailed as failure:
        raise CheckoutFailed("repo_not_found", f"{path} cannot be used as a git repository: {failure}") from failure
    return Repository(git, Path(common).resolve(), config)


async def local_base(repo: Repository, ref: str | None) -> str:
    """The commit to start from. Raises `CheckoutFailed`."""
    if base := await _resolve(repo.git, ref or "HEAD"):
        return base
    raise _no_ref(str(repo.git.folder), ref)


async def open_url(clones: Path, url: str, base_ref: str | None) -> tuple[Repository, str]:
    """The clone that this machine's workers share, brought up to date, and where to start. Raises `CheckoutFailed`."""
    path = clone_of(clones, url)
    clones.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = await Lock.take(path.with_suffix(".lock"))
    try:
        if not path.exists():
            await _clone(path, url)
        else:
            await _fetch((await bare(path))[0], url)
        git, config = await bare(path)
        if (base := await _resolve_fetched(git, url, base_ref)) is None:
            raise _no_ref(url, base_ref)
    except GitFailed as failure:
        known = any(words in failure.complaint.lower() for words in NO_REPOSITORY)
        code = "repo_not_found" if known else "clone_failed"
        raise CheckoutFailed(code, f"cannot fetch {url}: {failure}") from failure
    finally:
        lock.close()
    return Repository(git, path.resolve(), config), base


async def open_clone(clones: Path, url: str) -> Repository | None:
    """The clone as it is, if there is one."""
    path = clone_of(clones, url)
    if not path.exists():
        return None
    git, config = await bare(path)
    return Repository(git, path.resolve(), config)


def clone_of(clones: Path, url: str) -> Path:
    """The hub looks for the branches of this machine's tasks in the same place."""
    return clones / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.git"


async def open_scratch(site: Site) -> Checkout:
    """An empty repository of the task's own, with its branch checked out. Raises `CheckoutFailed`."""
    try:
        return await _open_scratch(site)
    except GitFailed as failure:
        raise CheckoutFailed("checkout_failed", f"git cannot make the repository {site.path}: {failure}") from failure


async def _open_scratch(site: Site) -> Checkout:
    if site.base and not site.partial and not site.path.is_symlink() and (site.path / ".git").is_dir():
        return await _enter_scratch(site, site.base)
    if site.partial:
        shutil.rmtree(site.path, ignore_errors=True)
    shutil.rmtree(site.box, ignore_errors=True)  # of a repository that somebody has removed
    site.set_aside()
    site.mark_partial("")
    site.path.mkdir(parents=True)
    git, config = await Git.at(site.path)
    base = await _begin(git, site.branch)
    site.mark_whole(base)
    return await confined(_scratch(site, git, config, base), site)


async def _enter_scratch(site: Site, base: str) -> Checkout:
    checkout = _scratch(site, *await Git.at(site.path), base)
    await reclaim(checkout, site)
    checkout = await confined(checkout, site)
    await save_earlier(checkout, site)
    if site.resume:
        await checkout.git.run("checkout", "--quiet", site.branch, "--")
    else:
        await start_over(checkout, site)
    return checkout


def _scratch(site: Site, git: Git, config: Config, base: str) -> Checkout:
    git_dir = site.path / ".git"
    return checkout_of(site.path, git_dir, Repository(git, git_dir, config), site.branch, base)


async def _begin(git: Git, branch: str) -> str:
    await git.run("init", "--quiet", "--initial-branch=main")
    await git.run("commit", "--quiet", "--allow-empty", "--no-verify", "-m", "Start")
    await git.run("checkout", "--quiet", "-b", branch)
    return (await git.run("rev-parse", "HEAD")).strip()


async def _clone(path: Path, url: str) -> None:
    """Only a complete clone gets the name under which it is looked for."""
    new = path.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    await make_bare(new, url)
    await _fetch((await bare(new))[0], url)
    new.rename(path)


async def make_bare(path: Path, url: str) -> None:
    """An empty repository with a remote. Raises `GitFailed`."""
    path.mkdir()
    git, _ = await Git.at(path)
    await git.run("init", "--quiet", "--bare")
    await git.run("remote", "add", "origin", url)


async def bare(path: Path) -> tuple[Git, Config]:
    return await Git(path, environment(os.environ), (f"--git-dir={path}",)).secured()


async def _fetch(git: Git, url: str) -> None:
    """By the URL itself: what `origin` means in the clone, an agent may have changed."""
    fetch = ("fetch", "--quiet", "--prune", "--force", "--no-auto-maintenance", "--no-write-fetch-head", "--", url)
    try:
        await git.remote(*fetch, *FETCHED, HEAD)
    except GitFailed as failure:
        if "couldn't find remote ref HEAD" not in failure.complaint:
            raise
        await git.remote(*fetch, *FETCHED)


async def _resolve_fetched(git: Git, url: str, base_ref: str | None) -> str | None:
    if base_ref is None:
        return await _resolve(git, "refs/remotes/origin/HEAD")
    for name in (f"refs/remotes/origin/{base_ref}", f"refs/tags/{base_ref}", base_ref):
        if commit := await _resolve(git, name):
            return commit
    try:
        await git.remote("fetch", "--quiet", "--no-auto-maintenance", "--", url, base_ref)
    except GitFailed:
        return None
    return await _resolve(git, "FETCH_HEAD")


async def _resolve(git: Git, ref: str) -> str | None:
    arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return (await git.run(*arguments, ok=(0, 1, 128))).strip() or None


def _no_ref(where: str, ref: str | None) -> CheckoutFailed:
    if ref is None:
        return CheckoutFailed("ref_not_found", f"{where} has no commit yet, so there is nothing to start from")
    return CheckoutFailed("ref_not_found", f"{where} has no {ref!r}")
