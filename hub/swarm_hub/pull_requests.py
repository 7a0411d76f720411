"""Pull requests at GitHub, or an Enterprise server of it: one for each branch, however often it is asked for."""

import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import httpx
from pydantic_core import from_json

from swarm_api.base import dollars
from swarm_api.errors import InvalidInput
from swarm_api.tasks import Result, TaskIn
from swarm_hub.git import GitFailed, git
from swarm_hub.mirrors.abroad import Abroad
from swarm_hub.mirrors.mirrors import Mirrors
from swarm_hub.orders import branch, source

VERSION = "2022-11-28"  # https://docs.github.com/en/rest/about-the-rest-api/api-versions
TIMEOUT = 30.0  # seconds
TITLE = 200  # characters
_PATH = re.compile(r"/?([A-Za-z0-9][A-Za-z0-9-]*)/([A-Za-z0-9._-]+?)(?:\.git)?/?")
_SCP = re.compile(r"(?:[^@/]+@)?([A-Za-z0-9.-]+):(?!//)(.+)")


class PullRequestFailed(Exception):
    """The branch is kept. `code` is the result's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Repository(NamedTuple):
    owner: str
    name: str


class PullRequests:
    """`api_url`: of GitHub's REST API; `hub_url`: where people reach the hub."""

    def __init__(self, api_url: str, token: str | None, mirrors: Mirrors, abroad: Abroad, hub_url: str) -> None:
        self.host = host_of(api_url)
        self._api_url = api_url
        self._token = token
        self.mirrors = mirrors
        self._abroad = abroad
        self._hub_url = hub_url

    def repository(self, url: str) -> Repository | None:
        """Whose repository a git URL names at this GitHub; None for one that is elsewhere."""
        host, path = _split(url)
        found = _PATH.fullmatch(path)
        return Repository(found[1], found[2]) if found and host == self.host else None

    def refuse(self, spec: TaskIn, prefix: str = "") -> None:
        """Raises `InvalidInput` for a task whose pull request could never be opened: before it costs anything."""
        if spec.deliver != "pull_request":
            return
        if self._token is None:
            raise InvalidInput.field(f"{prefix}deliver", "this hub has no GITHUB_TOKEN; allowed: branch, patch")
        url = None if spec.repo is None else source({"repo": spec.repo, "baseRef": None})
        if url is None or url.kind == "upload" or (url.kind == "url" and self.repository(url.location) is None):
            raise InvalidInput.field(
                f"{prefix}deliver", f"{spec.repo!r} is no repository of {self.host}; allowed: branch, patch"
            )

    async def deliver(self, task: Any, result: Result) -> str:
        """Push the branch and open its pull request; the URL. Raises `GitFailed`, `PullRequestFailed`."""
        if self._token is None:
            raise PullRequestFailed("pull_request_failed", "this hub has no GITHUB_TOKEN to open a pull request with")
        folder, origin = await self._origin(task)
        repository = self.repository(origin)
        if repository is None:
            raise PullRequestFailed("pull_request_failed", f"the repository is not one of {self.host}: {origin}")
        url = f"https://{self.host}/{repository.owner}/{repository.name}.git"
        await self._abroad.push(folder, url, f"+{result.commit}:refs/heads/{branch(task)}")
        try:
            return await self._open(repository, task, result)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            words = f"{type(error).__name__}: {error}"
            raise PullRequestFailed("pull_request_failed", f"{self.host} did not take the request: {words}") from error

    async def _origin(self, task: Any) -> tuple[Path, str]:
        where = source(from_json(task.spec))
        if where.kind == "url":
            return self.mirrors.path(task), where.location
        if where.kind != "local":
            raise PullRequestFailed("pull_request_failed", "the task has no repository at GitHub")
        folder = Path(where.location)
        try:
            return folder, (await git(folder, ["config", "--get", "remote.origin.url"])).decode().strip()
        except GitFailed as failure:
            raise PullRequestFailed("pull_request_failed", f"{folder} has no remote `origin`: {failure}") from failure

    async def _open(self, repository: Repository, task: Any, result: Result) -> str:
        headers = {
            "Authorization": f"Bearer {self._token}", "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": VERSION,
        }  # fmt: skip
        path, head = f"/repos/{repository.owner}/{repository.name}", branch(task)
        async with httpx.AsyncClient(base_url=self._api_url, headers=headers, timeout=TIMEOUT) as http:
            if known := await _known(http, path, f"{repository.owner}:{head}"):
                return known
            base = await _base(http, path, from_json(task.spec)["baseRef"])
            asked = {"title": _title(task), "head": head, "base": base, "body": self._body(task, result)}
            answer = await http.post(f"{path}/pulls", json=asked)
            if answer.status_code == 422 and (known := await _known(http, path, f"{repository.owner}:{head}")):
                return known  # another call was quicker
            return str(_checked(answer)["html_url"])

    def _body(self, task: Any, result: Result) -> str:
        log = f"{self._hub_url}/api/tasks/{task.id}/logs"
        return (
            f"{result.summary or 'The agent left no summary.'}\n\n---\n"
            f"Task `{task.id}` · model cost {dollars(task.cost_micro_usd)} · "
            f"{len(result.files_changed)} files, +{result.additions} -{result.deletions} · [log]({log})\n"
        )


def host_of(api_url: str) -> str:
    """Where the repositories are whose API this is."""
    host = urlsplit(api_url).hostname or ""
    return "github.com" if host == "api.github.com" else host


def _split(url: str) -> tuple[str, str]:
    if "://" in url:
        parts = urlsplit(url)
        return parts.hostname or "", parts.path
    found = _SCP.fullmatch(url)
    return (found[1], found[2]) if found else ("", "")


async def _known(http: httpx.AsyncClient, path: str, head: str) -> str | None:
    found = _checked(await http.get(f"{path}/pulls", params={"head": head, "state": "open"}))
    return str(found[0]["html_url"]) if found else None


async def _base(http: httpx.AsyncClient, path: str, ref: str | None) -> str:
    """The branch that the task started from; the repository's own where it started from none."""
    if ref is not None and (await http.get(f"{path}/branches/{quote(ref, safe='')}")).is_success:
        return ref
    return str(_checked(await http.get(path))["default_branch"])


def _checked(answer: httpx.Response) -> Any:
    if not answer.is_success:
        said = answer.json().get("message", "") if "json" in answer.headers.get("content-type", "") else ""
        raise PullRequestFailed(
            "pull_request_failed", f"{answer.request.url.host} answers {answer.status_code}: {said}"
        )
    return answer.json()


def _title(task: Any) -> str:
    line = task.name or next((line.strip() for line in task.prompt.splitlines() if line.strip()), task.id)
    return str(line)[:TITLE]
