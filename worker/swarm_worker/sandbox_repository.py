"""The repository that an agent in a sandbox works with: it stands in for the real one, and its work is fetched from it.

Where the real repository is, the agent finds this one: with the same commits and branches, with objects, references and
configuration of its own. The objects of the real one are read through `alternates`; nothing there can be changed. What
the agent commits comes home as from a stranger's server: git in the sandbox sends it, git outside checks each object
and takes in the task's own branch alone.
"""

import asyncio
import os
import re
import shlex
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from swarm_api.sandbox import find_bubblewrap
from swarm_worker import sandbox_config
from swarm_worker.checkout import Checkout, CheckoutFailed
from swarm_worker.git import PATIENCE, Git, GitFailed, environment
from swarm_worker.gitconfig import SSH
from swarm_worker.keeping import keep
from swarm_worker.sandbox import USER_CONFIG, Mounts, Sandbox, given, shown
from swarm_worker.sandbox_files import OBJECTS, delete, lay_out, stores

NAME, TIP = re.compile(r"refs/(heads/[^\s:*]+|stash)"), re.compile(r"[0-9a-f]{40,64}")
"""What git is asked for by name is an argument, where a colon and an asterisk would mean more."""
MACHINE_CONFIG = Path("/etc/gitconfig")
MOST = 20
"""Other branches of an agent's that are kept."""
FETCH = (
    "-c", "fetch.fsckObjects=true", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
    "--no-auto-maintenance", "--no-recurse-submodules", "--no-prune", "--update-head-ok",
)  # fmt: skip


@dataclass(frozen=True)
class StandIn:
    """Kept in `box` until all of it is home. `real` is the checkout as it is outside."""

    box: Path
    real: Checkout

    @property
    def folder(self) -> Path:
        return self.box / "repository"

    @property
    def git_dir(self) -> Path:
        """What the agent's git keeps about the worktree."""
        return self.folder / self.real.git_dir.relative_to(self.real.common)

    @property
    def outside(self) -> Git:
        """Calls in the real repository, which look at no file of the worktree."""
        return Git(self.real.common, self.real.git.env, (f"--git-dir={self.real.git_dir}",))

    @property
    def mounts(self) -> Mounts:
        """The worktree in which nobody can replace `.git`, and this repository in the place of the real one."""
        dot_git = shown(self.real.path / ".git") if self.real.linked else ()
        return (*given(self.real.path), *dot_git, *self._repository)

    @property
    def checkout(self) -> Checkout:
        """The checkout as the worker uses it: its git runs in the sandbox."""
        git = replace(self.real.git, env=self._env, sandbox=Sandbox(self.mounts))
        return replace(self.real, git=git, stand_in=self)

    def is_left(self) -> bool:
        """Whether the worker of an earlier attempt was killed before all of it was home."""
        return self.box.exists()

    async def make(self) -> None:
        """Raises `CheckoutFailed` when the worktree is not as it was made, and `SandboxUnavailable`."""
        find_bubblewrap()
        if not self.real.intact() or (self.real.path / ".git").is_symlink():
            raise CheckoutFailed("checkout_failed", f"{self.real.path} is not as it was made: its .git was replaced")
        new = replace(self, box=self.box.with_name(f"{self.box.name}.new"))
        shutil.rmtree(new.box, ignore_errors=True)
        for folder in (new.box.parent, new.box):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await new._fill()
        new.box.rename(self.box)

    def discard(self) -> None:
        """What the agent made undeletable may stay, but is nobody's any more."""
        gone = self.box.with_name(f"{self.box.name}.gone")
        delete(gone)
        self.box.rename(gone)
        delete(gone)

    def set_aside(self) -> Path:
        """Make room where git gets nothing out of it. Where it is now."""
        names = (self.box.with_name(f"{self.box.name}-kept-{n}") for n in range(1, 1000))
        return self.box.rename(next(path for path in names if not path.exists()))

    async def bring_home(self) -> list[str]:
        """All that is committed: then this can be discarded. What there is to say of it. Raises `GitFailed`."""
        references = await self._references()
        await self._bring_branch(references.get(self.real.ref))
        return await self._keep_others(references)

    async def bring_branch(self) -> None:
        """What is on the branch by now."""
        await self._bring_branch((await self._references()).get(self.real.ref))

    async def settle(self) -> None:
        """Let the real worktree be on its branch, with nothing staged."""
        await self.outside.run("symbolic-ref", "-m", "work of the agent", "HEAD", self.real.ref)
        await self.outside.run("read-tree", "HEAD")

    async def remove(self, paths: list[Path]) -> None:
        """Files of the agent's repository: in the sandbox, where a link leads to nothing of anybody's."""
        command = Sandbox(self._repository).briefly(self.real.common, ["rm", "-f", "--", *map(str, paths)])
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL)
        await process.wait()

    @property
    def _repository(self) -> Mounts:
        mounts = given(self.folder, self.real.common)
        for number, objects in enumerate(stores(self.real.common / "objects")):
            mounts += shown(objects, OBJECTS / str(number))
            if (objects / "info/alternates").exists():  # its paths lead nowhere in the sandbox
                mounts += shown(self.box / "empty", OBJECTS / str(number) / "info/alternates")
        configured = (*shown(self.box / "user.gitconfig", USER_CONFIG), *shown(self.box / "gitconfig", MACHINE_CONFIG))
        return (*mounts, *configured)

    @property
    def _inside(self) -> Git:
        """Calls in the agent's repository that need no worktree."""
        return replace(self.outside, env=self._env, sandbox=Sandbox(self._repository))

    @property
    def _env(self) -> dict[str, str]:
        """Without the user's credential helpers and ssh command, in which passwords may stand."""
        config = replace(self.real.repo.config, overrides=(), ssh=SSH)
        return {**environment(os.environ), **config.environment()}

    async def _fill(self) -> None:
        real, outside = self.real, self.outside
        settings = sandbox_config.read(await outside.run("config", "-z", "--show-scope", "--list"))
        listing = await outside.run("for-each-ref", "--format=%(objectname) %(refname)")
        lay_out(real, self.folder, self.git_dir)
        (self.folder / "config").write_text(sandbox_config.of_repository(settings), errors="surrogateescape")
        (self.box / "user.gitconfig").write_text(sandbox_config.of_user(settings), errors="surrogateescape")
        (self.box / "gitconfig").write_text(sandbox_config.of_machine(settings), errors="surrogateescape")
        (self.box / "empty").touch()
        for path in (self.folder / "packed-refs", self.box / "references"):
            path.write_text(listing, errors="surrogateescape")
        self._note_home(_parse(listing).get(real.ref, real.base))

    async def _references(self) -> dict[str, str]:
        arguments = ("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/stash")
        found = _parse(await self._inside.run(*arguments))
        return {name: tip for name, tip in found.items() if NAME.fullmatch(name) and TIP.fullmatch(tip)}

    async def _bring_branch(self, tip: str | None) -> None:
        """Force the real branch to the tip; what somebody else has put there meanwhile is kept."""
        home = (self.box / "home").read_text()
        if tip is None or tip == home:
            return
        found = await self.outside.run("rev-parse", "--verify", "--quiet", self.real.ref, ok=(0, 1))
        await self._fetch(f"+{self.real.ref}:{self.real.ref}")
        there = found.strip()
        if there and there != home and not await self.outside.says("merge-base", "--is-ancestor", there, tip):
            await keep(self.outside, self.real.branch, there)
        self._note_home(tip)

    async def _keep_others(self, references: dict[str, str]) -> list[str]:
        """Other branches, and what was stashed last: kept where nothing else holds it."""
        known = _parse((self.box / "references").read_text(errors="surrogateescape"))
        new = {name: tip for name, tip in references.items() if known.get(name) != tip and name != self.real.ref}
        some = dict(list(new.items())[:MOST])
        notes = [f"{len(new) - MOST:,} more branches of the agent's are left out"] if len(new) > MOST else []
        if not some:
            return notes
        await self._fetch(*some)
        loose = set((await self.outside.run("rev-list", *some.values(), "--not", "--all")).split())
        for name, tip in some.items():
            if tip in loose:
                loose.remove(tip)
                kept = await keep(self.outside, self.real.branch, tip)
                if name != f"refs/heads/{kept}":
                    notes.append(f"{name.removeprefix('refs/heads/')} of the sandbox is kept as {kept}")
        return notes

    async def _fetch(self, *references: str) -> None:
        path = os.environ.get("PATH", os.defpath)
        serve = Sandbox(self._repository).briefly(self.real.common, ["git-upload-pack"])
        program = f"--upload-pack={shlex.join(['env', '-i', f'PATH={path}', *serve])}"
        try:
            async with asyncio.timeout(PATIENCE):
                await self.outside.run(*FETCH, program, "--", str(self.real.common), *references)
        except TimeoutError as late:
            raise GitFailed("fetch", 1, f"nothing comes out of the sandbox within {PATIENCE:g} seconds") from late
        except GitFailed as failure:
            message = f"the repository of the sandbox gives nothing that git takes: {failure.complaint}"
            raise GitFailed("fetch", failure.code, message) from failure

    def _note_home(self, tip: str) -> None:
        (self.box / "home").write_text(tip)


def _parse(listing: str) -> dict[str, str]:
    return {name: tip for tip, _, name in (line.partition(" ") for line in listing.splitlines())}
