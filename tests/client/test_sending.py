"""What a request that meets a bad line or a bad answer comes to."""

import pytest

from client.cutting import WHOLE, cutting
from client.saying import HANG_UP, answer, saying
from hub.played import PlayedHub
from hubs import ADMIN_KEY
from swarm_api.auth import KeyIn
from swarm_api.client import HubClient
from swarm_api.errors import Conflict, HubUnreachable, InvalidInput, NotFound, NotSupported, SwarmError

HEALTHY = b'{"status":"ok","version":"1","checks":{}}'


@pytest.mark.parametrize("cut", [0, 1, 40, 400])
async def test_a_submission_whose_answer_was_lost_is_sent_again_and_happens_once(hub: PlayedHub, cut: int) -> None:
    async with cutting(hub.url, [cut, cut, WHOLE]) as proxy, HubClient(proxy.url, ADMIN_KEY) as client:
        task = await client.submit({"prompt": "Work", "hold": True})
        assert proxy.connections == 3
    assert [found.id for found in (await hub.client.tasks()).tasks] == [task.id]


async def test_a_batch_whose_answer_was_lost_is_sent_again_and_happens_once(hub: PlayedHub) -> None:
    async with cutting(hub.url, [100, WHOLE]) as proxy, HubClient(proxy.url, ADMIN_KEY) as client:
        tasks = await client.submit_batch([{"prompt": f"Work {n}", "hold": True} for n in range(50)])
    assert (await hub.client.tasks()).total == len(tasks) == 50


@pytest.mark.parametrize("cut", [1, 40])
async def test_a_key_whose_text_was_lost_is_made_once_and_told_of(hub: PlayedHub, cut: int) -> None:
    """No secret is kept for a second answer."""
    wish = KeyIn(name="ci", scopes=["tasks:read"])
    async with cutting(hub.url, [cut, WHOLE]) as proxy, HubClient(proxy.url, ADMIN_KEY) as client:
        with pytest.raises(Conflict):
            await client.make_key(wish)
    assert [key.name for key in (await hub.client.keys()).keys if key.created_by != "environment"] == ["ci"]


async def test_what_is_sent_again_carries_the_same_idempotency_key() -> None:
    async with saying(HANG_UP, HANG_UP, answer(404)) as server, HubClient(server.url) as client:
        with pytest.raises(NotFound):
            await client.execute("tsk_1")
    keys = server.header("idempotency-key")
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert keys[0]


async def test_two_submissions_have_two_keys() -> None:
    async with saying(answer(404), answer(404)) as server, HubClient(server.url) as client:
        for _ in range(2):
            with pytest.raises(NotFound):
                await client.submit({"prompt": "Work"})
    assert len(set(server.header("idempotency-key"))) == 2


async def test_a_line_that_breaks_for_ever_is_given_up() -> None:
    async with saying(*[HANG_UP] * 20) as server, HubClient(server.url) as client:
        with pytest.raises(HubUnreachable):
            await client.queue()
    assert len(server.requests) == 5


async def test_without_a_hub_it_says_so_at_once(unused_tcp_port: int) -> None:
    async with HubClient(f"http://127.0.0.1:{unused_tcp_port}") as client:
        with pytest.raises(HubUnreachable, match=rf"no hub answers at http://127\.0\.0\.1:{unused_tcp_port}"):
            await client.queue()


async def test_a_redirect_is_an_error_and_no_credential_follows_it() -> None:
    async with saying(answer(200, HEALTHY)) as elsewhere:
        moved = answer(307, Location=f"{elsewhere.url}/health")
        async with saying(moved) as server, HubClient(server.url, token="a-secret") as client:
            with pytest.raises(SwarmError):
                await client.health()
            assert server.header("authorization") == ["Bearer a-secret"]
        assert elsewhere.requests == []


async def test_an_answer_of_something_else_is_an_error_of_its_own() -> None:
    async with saying(answer(200, b"<html>hello</html>", "text/html")) as server, HubClient(server.url) as client:
        with pytest.raises(SwarmError) as refused:
            await client.queue()
    assert refused.value.code == "unexpected_answer"


async def test_a_degraded_hub_is_an_answer() -> None:
    degraded = answer(503, b'{"status":"degraded","version":"1","checks":{"store":"disk full"}}')
    async with saying(degraded) as server, HubClient(server.url) as client:
        assert (await client.health()).checks == {"store": "disk full"}


async def test_fields_that_newer_hubs_add_are_ignored() -> None:
    async with saying(answer(200, b'{"mood":"fine",' + HEALTHY[1:])) as server, HubClient(server.url) as client:
        assert (await client.health()).version == "1"


async def test_a_wrong_field_is_named(hub: PlayedHub) -> None:
    with pytest.raises(InvalidInput) as refused:
        await hub.client.submit({"prompt": "Work", "colour": "red"})
    assert refused.value.data["errors"] == [{"loc": "colour", "msg": "unknown field"}]


async def test_what_is_not_built_yet_is_not_supported(hub: PlayedHub) -> None:
    with pytest.raises(NotSupported):
        await hub.client.submit({"prompt": "Work", "bestOf": 3})


async def test_a_finished_task_cannot_be_cancelled(hub: PlayedHub) -> None:
    task = await hub.ended()
    with pytest.raises(Conflict) as refused:
        await hub.client.cancel(task.id)
    assert refused.value.code == "task_finished"


async def test_an_id_may_be_given_short(hub: PlayedHub) -> None:
    task = await hub.client.submit({"prompt": "Work", "hold": True})
    assert (await hub.client.task(task.id.removeprefix("tsk_")[:9])).id == task.id


async def test_an_id_with_a_slash_asks_for_no_other_path(hub: PlayedHub) -> None:
    with pytest.raises(NotFound):
        await hub.client.task("../queue")
