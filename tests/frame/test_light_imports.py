"""What a module of the contract may cost to import."""

import subprocess
import sys

import pytest

SERVER = {"starlette", "uvicorn", "duckdb", "sqlalchemy", "alembic", "claude_agent_sdk"}
MODELS = {"pydantic", "httpx"}


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter holds after the statement."""
    script = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import swarm_api.client", SERVER),
        ("import swarm_api.wire, swarm_api.worker", SERVER | MODELS),
        ("import swarm_executors.protocol", SERVER | MODELS),
    ],
)
def test_an_import_pulls_only_what_it_needs(statement: str, unwanted: set[str]) -> None:
    assert loaded_by(statement) & unwanted == set()
