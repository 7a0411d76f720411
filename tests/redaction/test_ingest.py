"""What workers report is redacted by the hub, whatever they did themselves; what clients send is refused."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hub.played import PlayedHub, played_hub
from redaction.credentials import SAID, drawn, pem
from swarm_api.redaction import MARK
from swarm_api.worker import FilesReport, LogReport, ProgressReport, ResultReport, UsageReport

KEY = "sk-ant-api03-" + drawn(40)
SIGNING = drawn(48)
GITHUB, OLD = SAID["GitHub"][0], "ghp_" + drawn(36)
SECRETS = pytest.mark.parametrize("secret", [KEY, SIGNING, GITHUB], ids=["key", "signing", "github"])
IN_USE = pytest.mark.parametrize("secret", [KEY, SIGNING], ids=["key", "signing"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("shared")
    async with played_hub(folder, anthropic_api_key=KEY, jwt_secret=(SIGNING,)) as hub:
        yield hub


pytestmark = pytest.mark.asyncio(loop_scope="module")


def stored(hub: PlayedHub) -> bytes:
    """Every byte of the database."""
    folder: Path = hub.parts.settings.data_dir
    return b"".join(path.read_bytes() for path in folder.glob("hub.db*"))


@SECRETS
@pytest.mark.parametrize("stream", ["agent", "tool", "stdout", "stderr", "system"])
async def test_no_line_of_a_log_is_stored_with_a_credential(shared: PlayedHub, stream: Any, secret: str) -> None:
    task, worker = await shared.running()
    data = {"input": [{"content": f"is {secret}"}], secret: 1}
    await worker.report(
        LogReport(stream=stream, text=f"it is {secret}", data=data), LogReport(stream=stream, text="plain")
    )
    first, second = (await shared.client.logs(task.id)).lines
    assert (first.text, second.text) == (f"it is {MARK}", "plain")
    assert first.data == {"input": [{"content": f"is {MARK}"}], MARK: 1}
    assert secret.encode() not in stored(shared)


@SECRETS
async def test_nothing_else_that_is_reported_is_stored_with_a_credential(shared: PlayedHub, secret: str) -> None:
    task, worker = await shared.running()
    result: dict[str, Any] = {"summary": f"see {secret}", "error_code": "agent_failed", "error_message": f"no {secret}"}
    await worker.report(
        FilesReport(paths=[f"a/{secret}"]),
        ProgressReport(last_tool=secret, session_id=secret),
        UsageReport(model=secret, input=1),
        ResultReport(
            status="failure", branch=secret, commit=secret, base_commit=secret, files_changed=[secret], **result
        ),
    )
    ended = await shared.client.task(task.id)
    assert ended.result is not None
    assert ended.result.summary == f"see {MARK}"
    assert secret.encode() not in stored(shared)


@IN_USE
async def test_of_a_patch_only_credentials_in_use_are_replaced(shared: PlayedHub, secret: str) -> None:
    task, worker = await shared.running(deliver="patch")
    patch = f"--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n a\n+{secret} {OLD}\n"
    await worker.finish(patch=patch, commit="c" * 40, base_commit="b" * 40)
    shown = (await shared.get(f"/api/tasks/{task.id}/diff")).text
    assert shown == patch.replace(secret, MARK.ljust(len(secret), "*"))


async def test_a_private_key_in_a_batch_is_replaced_line_by_line(shared: PlayedHub) -> None:
    task, worker = await shared.running()
    lines = pem().splitlines()
    await worker.report(*(LogReport(stream="stdout", text=line) for line in lines))
    shown = [line.text for line in (await shared.client.logs(task.id)).lines]
    assert len(shown) == len(lines)
    assert {line.lstrip("+") for line in shown[1:-1]} == {MARK}


@pytest.mark.parametrize("name", ["worker.secret", "jwt.secret"])
@pytest.mark.parametrize("written", [bytes.hex, lambda data: base64.b64encode(data).decode()])
async def test_the_secrets_of_the_data_folder_are_known(tmp_path: Path, name: str, written: Any) -> None:
    async with played_hub(tmp_path) as hub:
        task, worker = await hub.running()
        secret = written((tmp_path / "data" / name).read_bytes())
        await worker.report(LogReport(stream="tool", text=f"it is {secret}"))
        (line,) = (await hub.client.logs(task.id)).lines
        assert line.text.startswith(f"it is {MARK}")


@IN_USE
@pytest.mark.parametrize(
    ("task", "loc"),
    [
        ({"prompt": "use {}"}, "prompt"),
        ({"prompt": "p", "context": "{}"}, "context"),
        ({"prompt": "p", "name": "{}"}, "name"),
        ({"prompt": "p", "verify": "curl -H 'x-api-key: {}'"}, "verify"),
        ({"prompt": "p", "labels": {"key": "{}"}}, "labels.key"),
        ({"tasks": [{"prompt": "p"}, {"prompt": "{}"}]}, "tasks.1.prompt"),
    ],
)
async def test_a_task_that_holds_a_credential_in_use_is_refused(
    shared: PlayedHub, task: dict[str, Any], loc: str, secret: str
) -> None:
    before = shared.parts.journal.head
    body = json.loads(json.dumps(task).replace("{}", secret))
    answer = await shared.post("/api/tasks", body)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"loc": loc, "msg": "holds a credential of this hub"}]
    assert secret not in answer.text
    assert shared.parts.journal.head == before
    assert secret.encode() not in stored(shared)


async def test_a_task_may_hold_what_only_looks_like_a_credential(shared: PlayedHub) -> None:
    answer = await shared.post("/api/tasks", {"prompt": f"rotate {OLD}", "hold": True})
    assert answer.json()["prompt"] == f"rotate {OLD}"


@IN_USE
async def test_nothing_else_that_a_client_sends_is_stored_with_one(shared: PlayedHub, secret: str) -> None:
    answers = [
        await shared.post("/api/tasks", {"prompt": "p"}, **{"Idempotency-Key": secret}),
        await shared.post("/api/auth/api-keys", {"name": secret, "scopes": ["tasks:read"]}),
        await shared.post("/api/auth/revoke", {"device": secret}),
    ]
    assert [answer.status_code for answer in answers if secret in answer.text] == []
    assert answers[0].status_code == 400
    assert secret.encode() not in stored(shared)


async def test_a_new_api_key_is_shown(shared: PlayedHub) -> None:
    answer = await shared.post("/api/auth/api-keys", {"name": "ci", "scopes": ["tasks:read"]})
    assert answer.json()["key"].startswith("sk_swarm_")


async def test_a_branch_is_not_named_for_a_credential_in_a_prompt(shared: PlayedHub) -> None:
    task = await shared.client.submit({"prompt": f"Rotate {OLD} today"})
    order = await (await shared.worker(task.id)).claim()
    assert order["prompt"] == f"Rotate {OLD} today"
    assert order["branch"].endswith("-rotate-redacted-today")
