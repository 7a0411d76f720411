"""What is too much for a machine is cut off and said to be, before it fills the hub's memory or its disk."""

from security.tasks import log, run
from swarm_api.client import HubClient

LINE, COUNT = 30_000, 600
LONG_LINES = f"head -c {LINE * COUNT} /dev/zero | tr '\\0' x | fold -w {LINE}"


async def test_a_page_of_long_lines_ends_early_and_goes_on(client: HubClient) -> None:
    task = await run(client, {"run": LONG_LINES})
    pages, after = [], 0
    while (page := await client.logs(task.id, after=after, limit=10_000)).lines:
        pages.append(page.lines)
        after = page.next_after
    assert len(pages) > 1
    lines = [line for page in pages for line in page]
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
    assert sum(line.text.count("x") for line in lines if line.stream == "stdout") == LINE * COUNT


async def test_a_verify_that_prints_without_end_leaves_the_rest_out(client: HubClient) -> None:
    task = await run(client, {"done": "."}, verify=f"{LONG_LINES}; false")
    assert task.result is not None
    assert task.result.error is not None
    assert task.result.error.code == "verify_failed"
    assert "more lines of it are left out" in await log(client, task)
