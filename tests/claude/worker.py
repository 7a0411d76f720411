"""A worker that a test may kill: runs one prompt. `worker.py URL WORKDIR HOME PROMPT`"""

import asyncio
import os
import sys
from pathlib import Path

from claude.driving import make_order
from swarm_worker.runtimes import Place
from swarm_worker.runtimes.claude import ClaudeRuntime


async def main(url: str, workdir: str, home: str, prompt: str) -> None:
    folder = Path(home)
    env = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home}
    place = Place(Path(workdir), folder, folder, env, folder)
    async for _ in ClaudeRuntime().run(make_order(url, prompt), place):
        pass


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
