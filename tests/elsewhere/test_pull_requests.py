"""The hub pushes a branch on and asks for its merge, with a token that no agent sees."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from elsewhere.test_tasks import git
from executors.clouds import serving
from hub.played import PlayedHub, played_hub
from hub.problems import assert_problem
from swarm_hub.deliveries import Deliveries
from swarm_hub.mirrors.abroad import Abroad
from swarm_hub.pull_requests import PullRequests, Repository

TOKEN = "ghp_ofthetests"


class FakeGitHub:
    """GitHub's REST API as far as pull requests need it (docs.github.com/rest/pulls/pulls)."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.open: dict[str, str] = {}
        self.refuses: int | None = None
        self.silent = asyncio.Event()  # set while it is asked and says nothing
        self.hangs = False
        repo = "/repos/{owner}/{name}"
        self.app = Starlette(routes=[
            Route(repo, self._repo),
            Route(repo + "/branches/{branch:path}", self._branch),
            Route(repo + "/pulls", self._list, methods=["GET"]),
            Route(repo + "/pulls", self._create, methods=["POST"]),
        ])  # fmt: skip

    async def _repo(self, _: Request) -> Response:
        return JSONResponse({"default_branch": "trunk"})

    async def _branch(self, request: Request) -> Response:
        return JSONResponse({}, 200 if request.path_params["branch"] == "main" else 404)

    async def _list(self, request: Request) -> Response:
        head = request.query_params["head"]
        return JSONResponse([{"html_url": self.open[head]}] if head in self.open else [])

    async def _create(self, request: Request) -> Response:
        if request.headers["authorization"] != f"Bearer {TOKEN}":
            return JSONResponse({"message": "Bad credentials"}, 401)
        if self.hangs:
            self.silent.set()
            while (await request.receive())["type"] != "http.disconnect":
                pass
        if self.refuses:
            return JSONResponse({"message": "Validation Failed"}, self.refuses)
        asked = await request.json()
        self.asked.append(asked)
        url = f"https://github.example/pull/{len(self.asked)}"
        self.open[f"{request.path_params['owner']}:{asked['head']}"] = url
        return JSONResponse({"html_url": url}, 201)


@pytest.fixture
async def github() -> AsyncIterator[FakeGitHub]:
    fake = FakeGitHub()
    async with serving(fake.app) as url:
        fake.url = url  # type: ignore[attr-defined]
        yield fake


@pytest.fixture
async def hub(
    tmp_path: Path, github: FakeGitHub, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PlayedHub]:
    """Its git finds the repositories of that GitHub in a folder."""
    origin = tmp_path / "origin/ada/widget.git"
    origin.parent.mkdir(parents=True)
    git(tmp_path, "clone", "-q", "--bare", str(repo), str(origin))
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f'[url "file://{tmp_path}/origin/"]\n\tinsteadOf = https://127.0.0.1/\n')
    monkeypatch.setenv("HOME", str(home))
    async with played_hub(tmp_path, github_token=TOKEN, github_url=github.url) as hub:  # type: ignore[attr-defined]
        yield hub


async def delivered(hub: PlayedHub, repo: Path, **fields: Any) -> Any:
    """A task of a clone of the repository, brought to its end by a worker of this machine; its result."""
    git(repo, "remote", "add", "origin", "https://127.0.0.1/ada/widget.git") if not git(repo, "remote") else None
    task, worker = await hub.running(repo=str(repo), deliver="pull_request", **fields)
    branch = (await worker.claim())["branch"]
    base = git(repo, "rev-parse", "main")
    tree = git(repo, "rev-parse", "main^{tree}")
    commit = git(repo, "-c", "user.name=A", "-c", "user.email=a@b", "commit-tree", tree, "-p", base, "-m", "New")
    git(repo, "update-ref", f"refs/heads/{branch}", commit)
    await worker.finish(summary="Did it", branch=branch, base_commit=base, commit=commit, files_changed=["a"])
    async with asyncio.timeout(20):
        return await hub.client.wait(task.id)


async def test_a_task_ends_with_its_branch_pushed_and_its_pull_request_open(
    hub: PlayedHub, github: FakeGitHub, repo: Path, tmp_path: Path
) -> None:
    task = await delivered(hub, repo, name="Tidy up", baseRef="main")
    assert (task.status, task.result.pull_request_url) == ("completed", "https://github.example/pull/1"), task.result
    [asked] = github.asked
    assert (asked["title"], asked["head"], asked["base"]) == ("Tidy up", task.result.branch, "main")
    assert "Did it" in asked["body"]
    assert f"/api/tasks/{task.id}/logs" in asked["body"]
    assert git(tmp_path / "origin/ada/widget.git", "rev-parse", task.result.branch) == task.result.commit


async def test_a_task_that_began_nowhere_is_for_the_repositorys_own_branch(
    hub: PlayedHub, github: FakeGitHub, repo: Path
) -> None:
    await delivered(hub, repo)
    assert github.asked[0]["base"] == "trunk"


async def test_a_branch_has_one_pull_request_however_often_it_is_delivered(
    hub: PlayedHub, github: FakeGitHub, repo: Path
) -> None:
    task = await delivered(hub, repo)
    row = await hub.parts.store.read(lambda c: c.exec_driver_sql("SELECT * FROM tasks").one())
    assert await _pulls(hub, github).deliver(row, task.result) == task.result.pull_request_url
    assert len(github.asked) == 1


async def test_what_github_refuses_fails_the_task_and_keeps_the_branch(
    hub: PlayedHub, github: FakeGitHub, repo: Path
) -> None:
    github.refuses = 422
    task = await delivered(hub, repo)
    assert (task.status, task.result.error.code) == ("failed", "pull_request_failed")
    assert "Validation Failed" in task.result.error.message
    assert git(repo, "rev-parse", task.result.branch) == task.result.commit


async def test_a_hub_that_ends_in_the_middle_of_a_delivery_begins_it_anew(
    tmp_path: Path, hub: PlayedHub, github: FakeGitHub, repo: Path
) -> None:
    github.hangs = True
    delivery = asyncio.create_task(delivered(hub, repo))
    await asyncio.wait_for(github.silent.wait(), 20)
    task = (await hub.client.tasks()).tasks[0]
    assert task.status == "running"
    github.hangs = False
    delivery.cancel()
    await asyncio.gather(delivery, return_exceptions=True)
    running = hub.parts.store  # what the next hub finds is in the database alone
    rows = await running.read(lambda c: c.exec_driver_sql("SELECT task_id FROM deliveries").all())
    assert [row[0] for row in rows] == [task.id]
    begun_anew = Deliveries(running, _pulls(hub, github))
    anew = asyncio.create_task(begun_anew.run())
    async with asyncio.timeout(20):
        done = await hub.client.wait(task.id)
    anew.cancel()
    await asyncio.gather(anew, return_exceptions=True)
    assert (done.status, len(github.asked)) == ("completed", 1)
    assert done.result is not None
    assert done.result.pull_request_url == "https://github.example/pull/1"


def _pulls(hub: PlayedHub, github: FakeGitHub) -> PullRequests:
    return PullRequests(github.url, TOKEN, hub.parts.mirrors, Abroad(TOKEN), hub.url)  # type: ignore[attr-defined]


@pytest.mark.parametrize("repo_", [None, "https://gitlab.example/ada/widget", "swarm://git/widget"])
async def test_what_could_never_have_a_pull_request_is_refused_before_it_costs_anything(
    hub: PlayedHub, repo_: str | None
) -> None:
    answer = await hub.post("/api/tasks", {"prompt": "Go", "deliver": "pull_request", "repo": repo_})
    assert_problem(answer, 422, "invalid_input", "deliver")


async def test_a_hub_without_a_token_refuses_pull_requests(tmp_path: Path) -> None:
    (folder := tmp_path / "another").mkdir()
    async with played_hub(folder) as hub:
        sent = {"tasks": [{"prompt": "Go", "deliver": "pull_request", "repo": "ada/widget"}]}
        assert_problem(await hub.post("/api/tasks", sent), 422, "invalid_input", "tasks.0.deliver")


async def test_the_token_is_in_no_answer_and_no_order(hub: PlayedHub, github: FakeGitHub, repo: Path) -> None:
    task = await delivered(hub, repo)
    assert TOKEN not in task.to_json().decode()


@pytest.mark.parametrize(("url", "found"), [
    ("https://github.com/ada/widget", Repository("ada", "widget")),
    ("https://github.com/ada/widget.git", Repository("ada", "widget")),
    ("git@github.com:ada/widget.git", Repository("ada", "widget")),
    ("ssh://git@github.com/ada/widget.js", Repository("ada", "widget.js")),
    ("https://gitlab.com/ada/widget", None), ("https://github.com.evil.example/ada/widget", None),
    ("https://github.com/ada", None), ("https://github.com/ada/widget/tree/main", None), ("/srv/ada/widget", None),
])  # fmt: skip
def test_whose_a_repository_is_stands_in_its_url(url: str, found: Repository | None) -> None:
    pulls = PullRequests("https://api.github.com", TOKEN, None, None, "")  # type: ignore[arg-type]
    assert pulls.repository(url) == found


def test_an_enterprise_server_is_known_by_its_host() -> None:
    pulls = PullRequests("https://git.example/api/v3", TOKEN, None, None, "")  # type: ignore[arg-type]
    assert pulls.repository("git@git.example:ada/widget.git") == Repository("ada", "widget")
    assert pulls.repository("https://github.com/ada/widget") is None
