"""What is made for everybody from a task's own words shows no credential that is among them."""

from pathlib import Path

from redaction.credentials import SAID
from security.tasks import git, run
from swarm_api.client import HubClient


async def test_neither_the_commit_nor_the_branch_is_named_for_a_credential(client: HubClient, repo: Path) -> None:
    token = SAID["GitHub"][0]
    task = await run(client, {"write": ["a.txt", "a\n"]}, name=f"Rotate {token}", repo=str(repo))
    assert task.result is not None
    assert git(repo, "log", "-1", "--format=%s", str(task.result.branch)) == "Rotate [redacted]"
    assert token.lower()[4:20] not in str(task.result.branch)
