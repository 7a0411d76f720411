"""Claude Code as a person runs it: in a home of its own, with a dummy key and a scripted model."""

import asyncio
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import claude_agent_sdk
import psutil

from hubs import PROGRAMS
from waiting import until

CLAUDE = Path(claude_agent_sdk.__file__).with_name("_bundled") / "claude"
KEY = "sk-ant-the-key-of-the-test"
LIMIT = 60.0  # seconds
READY = b"\xe2\x9d\xaf"  # the sign before what is typed


class ClaudeCode:
    """`folder` holds the home and a repository to work in."""

    def __init__(self, folder: Path, api: str, **env: str) -> None:
        self.home, self.work = folder / "person", folder / "work"
        for path in (self.home, self.work):
            path.mkdir()
        self.environ = {
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(self.home), "LANG": "C.UTF-8",
            "TERM": "xterm-256color", "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": api,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", **env,
        }  # fmt: skip
        for command in (
            ["init", "-q", "-b", "main"],
            ["config", "user.name", "Ada"],
            ["config", "user.email", "a@b.c"],
        ):
            self.git(*command)
        self.git("commit", "-q", "--allow-empty", "-m", "Begin")
        self._settle()

    async def headless(self, prompt: str, *options: str) -> str:
        """What `claude -p` says at the end."""
        done = await asyncio.to_thread(self.run, "-p", prompt, "--model", "sonnet", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`claude` with these arguments, in the repository."""
        return subprocess.run(
            [CLAUDE, *arguments], cwd=self.work, env=self.environ, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=LIMIT, check=False,
        )  # fmt: skip

    def git(self, *arguments: str) -> str:
        """What git says, in the repository."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.work, env=self.environ, capture_output=True, text=True, check=True
        )
        return done.stdout.strip() + done.stderr.strip()

    @asynccontextmanager
    async def session(self, *options: str) -> AsyncIterator["Session"]:
        """A session in a terminal of its own, ready for what is typed."""
        outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        process = psutil.Popen(
            [CLAUDE, "--model", "sonnet", *options], cwd=self.work, env=self.environ,
            stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
        )  # fmt: skip
        os.close(inner)
        session = Session(outer)
        try:
            await until(lambda: READY in session.said, LIMIT)
            yield session
        finally:
            for one in (*process.children(recursive=True), process):
                one.kill()
            process.wait()
            session.close()

    def _settle(self) -> None:
        """Past the questions that Claude Code asks at its first start."""
        known = {
            "hasCompletedOnboarding": True, "theme": "dark",
            "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
            "projects": {str(self.work): {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}},
        }  # fmt: skip
        (self.home / ".claude.json").write_text(json.dumps(known))


class Session:
    def __init__(self, terminal: int) -> None:
        self.said = bytearray()
        self._terminal = terminal
        os.set_blocking(terminal, False)
        asyncio.get_running_loop().add_reader(terminal, self._read)

    async def type(self, text: str) -> None:
        """Type a line and send it, once it is seen on the screen."""
        before = len(self.said)
        os.write(self._terminal, text.encode())
        await until(lambda: len(self.said) > before, LIMIT)
        os.write(self._terminal, b"\r")

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._terminal)
        os.close(self._terminal)

    def _read(self) -> None:
        try:
            self.said += os.read(self._terminal, 65_536)
        except OSError:  # the other side is closed
            asyncio.get_running_loop().remove_reader(self._terminal)


def servers(**servers: Mapping[str, Any]) -> Sequence[str]:
    """The options that give a session these MCP servers alone, and let it call all their tools."""
    config = json.dumps({"mcpServers": servers})
    return ("--mcp-config", config, "--strict-mcp-config", "--allowedTools", *(f"mcp__{name}" for name in servers))
