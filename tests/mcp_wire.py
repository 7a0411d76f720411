"""Protocol 2026-07-28 by hand: what an SDK's client would not send, or would hide."""

import json
from typing import Any

import httpx

TASKS = "io.modelcontextprotocol/tasks"
VERSION = "2026-07-28"
NO_NAME = ""


class Wire:
    """`declares`: whether this host can deal with tasks."""

    def __init__(self, http: httpx.AsyncClient, *, declares: bool = True) -> None:
        self._http = http
        self._extensions: dict[str, Any] = {TASKS: {}} if declares else {}

    async def ask(self, method: str, named: str | None = None, **params: Any) -> dict[str, Any]:
        """The whole JSON-RPC answer. `named`: of the `Mcp-Name` header, when it is not the one of the params."""
        known = params.get("name") or params.get("taskId") or NO_NAME
        headers = {
            "MCP-Protocol-Version": VERSION, "Mcp-Method": method, "Mcp-Name": known if named is None else named,
            "Accept": "application/json, text/event-stream",
        }  # fmt: skip
        meta = {
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {"extensions": self._extensions},
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
        sent = {key: value for key, value in headers.items() if value}
        return _answer(await self._http.post("/mcp", json=body, headers=sent))

    async def result(self, method: str, **params: Any) -> dict[str, Any]:
        answer = await self.ask(method, **params)
        assert "result" in answer, answer
        return dict(answer["result"])

    async def error(self, method: str, named: str | None = None, **params: Any) -> int:
        """The code of the refusal."""
        answer = await self.ask(method, named, **params)
        assert "error" in answer, answer
        return int(answer["error"]["code"])

    async def run(self, **arguments: Any) -> dict[str, Any]:
        """What `swarm_run` answers."""
        return await self.result("tools/call", name="swarm_run", arguments={"prompt": "Go", **arguments})


def _answer(response: httpx.Response) -> dict[str, Any]:
    if not response.headers["content-type"].startswith("text/event-stream"):
        return dict(response.json())
    said = [line.removeprefix("data:") for line in response.text.splitlines() if line.startswith("data:")]
    return next(dict(message) for message in map(json.loads, filter(str.strip, said)) if "id" in message)
