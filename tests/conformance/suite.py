"""`make conformance`: outsiders judge the MCP server, against the hub's own app on a socket of its own.

The official suite has no way to send a credential, so the app of these runs adds one to requests that have none.
"""

import asyncio
import logging
import os
import socket
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import swarm_mcp.server
from mcp import MCPDeprecationWarning
from mcp.server.mcpserver import MCPServer
from starlette.types import ASGIApp, Receive, Scope, Send

from conformance import asking, jobs, talking
from hub.played import played_hub, serving
from hubs import ADMIN_KEY, PROGRAMS
from swarm_hub.app import build_app

HERE = Path(__file__).parent
REVISIONS = ("2025-11-25", "2026-07-28")
NOT_SCORED = {
    "2025-11-25": ("server-session-lifecycle", "json-schema-2020-12"),
    "2026-07-28": (
        "tasks-lifecycle", "tasks-capability-negotiation", "tasks-wire-fields", "tasks-request-state-removal",
        "tasks-mrtr-input", "tasks-request-headers", "tasks-dispatch-and-envelope", "tasks-status-notifications",
        "tasks-required-task-error", "tasks-mrtr-composition", "json-schema-2020-12", "http-header-validation",
        "http-custom-header-server-validation",
    ),
}  # fmt: skip
"""Scenarios that `--requirements` runs, and whose failure it forgives: extensions, and what is pending.

One of 2025-11-25 is not among them, `server-sse-polling`: the hub keeps no events of streams that broke off.
"""
DEADLINE = 120.0  # seconds for one run
TOKEN = f"Bearer {ADMIN_KEY}".encode()

Build = Callable[..., MCPServer[Any]]


def with_fixtures(build: Build) -> Build:
    """The product's server with the suite's fixtures beside its own tools."""

    def both(hub: Any, home: Any, middleware: Any = ()) -> MCPServer[Any]:
        server = build(hub, home, middleware, places=(jobs.Jobs(),))
        for fixtures in (talking, asking, jobs):
            fixtures.offer(server)
        return server

    return both


@asynccontextmanager
async def product(build: Build) -> AsyncIterator[str]:
    """The address of `/mcp` of a hub whose MCP server is made by `build`."""
    swarm_mcp.server.build = build
    with tempfile.TemporaryDirectory() as folder, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            played_hub(Path(folder)) as hub,
            serving(hub.parts, _known(build_app(hub.parts, url)), listener),
        ):
            yield f"{url}/mcp"


def _known(app: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not any(name == b"authorization" for name, _ in scope["headers"]):
            scope = {**scope, "headers": [*scope["headers"], (b"authorization", TOKEN)]}
        await app(scope, receive, send)

    return answer


async def run(programs: Path, *arguments: str) -> int:
    """The exit code of an outsider. What it says is shown when that is not 0."""
    environ = {**os.environ, "PATH": f"{programs}:{PROGRAMS}:{os.environ['PATH']}"}
    process = await asyncio.create_subprocess_exec(
        *arguments, env=environ, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(DEADLINE):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        said = b"it took too long"
        await process.wait()
    name = " ".join([Path(arguments[0]).name, *arguments[1:]])
    print("ok  " if process.returncode == 0 else "FAIL", name, flush=True)  # noqa: T201
    if process.returncode:
        print(said.decode(errors="replace"))  # noqa: T201
    return process.returncode or 0


async def judge(outsiders: Path) -> int:
    """How many runs failed. `outsiders`: the folder that `make` has put them into, with their Node."""
    node, suite = outsiders / "venv/bin", str(outsiders / "node_modules/.bin/conformance")
    own, failed = swarm_mcp.server.build, 0
    async with product(with_fixtures(own)) as url:
        for revision in REVISIONS:
            failed += bool(await run(node, suite, "server", "--url", url, "--requirements", revision))
            for scenario in NOT_SCORED[revision]:
                options = ("--scenario", scenario, "--spec-version", revision)
                failed += bool(await run(node, suite, "server", "--url", url, *options))
    async with product(own) as url:
        for revision in REVISIONS:
            baseline = str(HERE / f"baseline-{revision}.yml")
            options = ("--requirements", revision, "--expected-failures", baseline)
            failed += bool(await run(node, suite, "server", "--url", url, *options))
        failed += await inspect(outsiders, url)
    return failed


async def inspect(outsiders: Path, url: str) -> int:
    """The inspector lists and calls tools, over both transports and in both eras."""
    node, inspector = outsiders / "venv/bin", str(outsiders / "node_modules/.bin/inspector")
    hub = {"SWARM_URL": url.removesuffix("/mcp"), "SWARM_API_KEY": ADMIN_KEY}
    given = [option for name, value in hub.items() for option in ("-e", f"{name}={value}")]
    ways = {
        "http": (url, "--transport", "http", "--header", f"Authorization: Bearer {ADMIN_KEY}"),
        "stdio": (str(PROGRAMS / "swarm"), "mcp", *given),
    }
    calls = (("--method", "tools/list"), ("--method", "tools/call", "--tool-name", "swarm_status"))
    failed = 0
    for way in ways.values():
        for era in ("legacy", "modern"):
            for call in calls:
                failed += bool(await run(node, inspector, "--cli", *way, *call, "--protocol-era", era))
    return failed


if __name__ == "__main__":
    logging.disable()  # fixtures fail on purpose
    warnings.simplefilter("ignore", MCPDeprecationWarning)  # the suite still asks for what the protocol gives up
    sys.exit(1 if asyncio.run(judge(Path(sys.argv[1]).resolve())) else 0)
