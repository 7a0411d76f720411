"""git as a program: arguments as lists, a clean environment, nothing of the repository's run."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from swarm_worker.gitconfig import BY_GIT_ITSELF, PROGRAMS, Config, read_config
from swarm_worker.guard import guarded
from swarm_worker.processes import end_group
from swarm_worker.sandbox import Sandbox
from swarm_worker.sandbox import environment as environment_inside

MERCY = 2.0
"""Seconds an interrupted git has to remove what it began."""


PATIENCE = 300.0
"""Seconds in which a git in a sandbox ends: an agent can give it something to wait for."""
HALF_MADE, TRIES, PAUSE = "commondir", 40, 0.025
"""git 2.39 falls over a worktree that another git is just making, and says this. It takes some milliseconds."""


class GitFailed(Exception):
    """git said no: `code` is its exit code, the text what it said last."""

    def __init__(self, command: str, code: int, complaint: str) -> None:
        super().__init__(_gist(complaint) or f"git {command} ended with {code}")
        self.command = command
        self.code = code
        self.complaint = complaint


def _gist(complaint: str) -> str:
    """The line that says why: the refused ref of a push, the last error; git's last words are often advice."""
    said = [line.strip() for line in complaint.splitlines() if line.strip()]
    refused = [line for line in said if line.startswith("! ")]
    errors = [line for line in said if line.startswith(("fatal:", "error:"))]
    return (refused or errors or said or [""])[-1].removeprefix("fatal: ").removeprefix("error: ")


def environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """What every call gets, from the worker's own environment."""
    kept = {name: value for name, value in inherited.items() if not name.startswith(("GIT_", "PYTHON"))}
    return kept | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "https:ssh:file",
        "GIT_OPTIONAL_LOCKS": "0",  # an agent's own git must not find the index locked because we looked
        "GIT_NO_REPLACE_OBJECTS": "1",  # what stands in for a commit here is not what the branch holds elsewhere
        "GIT_EDITOR": ":",
        "LC_ALL": "C",
    }


@dataclass(frozen=True)
class Git:
    """Calls of git in one folder. `where` are the options that name repository and worktree.

    In a `sandbox` what an agent configured may run: it reaches no more than the agent did.
    """

    folder: Path
    env: Mapping[str, str]
    where: tuple[str, ...] = ()
    sandbox: Sandbox | None = None

    @classmethod
    async def at(cls, folder: Path) -> tuple["Git", Config]:
        """Calls in a folder, with the configuration that holds there, but without the repository's own programs."""
        return await cls(folder, environment(os.environ)).secured()

    async def secured(self) -> tuple["Git", Config]:
        """The same calls, after whoever worked here may have changed the repository's configuration."""
        listing = await self.run("config", "-z", "--show-scope", "--get-regexp", PROGRAMS, ok=(0, 1))
        config = read_config(listing)
        return replace(self, env={**environment(os.environ), **config.environment()}), config

    async def run(self, *arguments: str, ok: Sequence[int] = (0,)) -> str:
        """What git prints; bytes that are no UTF-8 become lone surrogates. Raises `GitFailed`."""
        return await self._steadily(["git", *self.where, *arguments], arguments[0], ok)

    async def remote(self, *arguments: str) -> str:
        """The same for what talks to another machine and may last: it does not outlive the worker."""
        name, *rest = arguments
        return await self._steadily(guarded("git", *self.where, name, BY_GIT_ITSELF[name], *rest), name, (0,))

    async def says(self, *arguments: str) -> bool:
        """Whether git says yes, by its exit code 0 or 1."""
        try:
            await self.run(*arguments)
        except GitFailed as failure:
            if failure.code != 1:
                raise
            return False
        return True

    async def _steadily(self, command: Sequence[str], name: str, ok: Sequence[int]) -> str:
        for _ in range(TRIES):
            try:
                return await self._finish(command, name, ok)
            except GitFailed as failure:
                if HALF_MADE not in failure.complaint:
                    raise
            await asyncio.sleep(PAUSE)
        return await self._finish(command, name, ok)

    async def _finish(self, command: Sequence[str], name: str, ok: Sequence[int]) -> str:
        if self.sandbox:
            command = self.sandbox.briefly(self.folder, list(command))
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.folder,
            env=environment_inside(self.env) if self.sandbox else self.env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(PATIENCE if self.sandbox else None):
                out, complaint = await process.communicate()
        except TimeoutError as late:
            raise GitFailed(name, 1, f"git {name} did not end in the sandbox within {PATIENCE:g} seconds") from late
        finally:
            if process.returncode is None:
                await end_group(process, MERCY)
        if (code := process.returncode) not in ok:
            raise GitFailed(name, code or 0, complaint.decode(errors="replace"))
        return out.decode(errors="surrogateescape")
