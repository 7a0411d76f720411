"""What Claude Code says, as log lines and progress."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from claude_agent_sdk import (
    AssistantMessage,
    Message,
    SystemMessage,
    TextBlock,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)

from swarm_api.redaction import Redactor
from swarm_api.worker import LogReport, ProgressReport, Report
from swarm_worker.runtimes.claude_outcome import out_of_money
from swarm_worker.text import clean

MAX_TEXT = 8_000  # characters of a tool's result
MAX_INPUT = 4_000  # characters of each string in a tool's input
MAX_BRIEF = 200
SYNTHETIC = "<synthetic>"  # the model of messages that the CLI makes up, for instance of API errors

# Which part of a tool's input says best what it does.
TELLING = ("command", "file_path", "pattern", "url", "query", "description", "skill", "prompt")


class Transcript:
    """`turns` counts the answers of the model to the main conversation.

    Long texts are redacted here already: what is cut in the middle of a credential would not be known for one later.
    """

    def __init__(self, redactor: Redactor) -> None:
        self.turns = 0
        self._redactor = redactor
        self._last_answer: str | None = None

    def reports(self, message: Message) -> Iterator[Report]:
        match message:
            case AssistantMessage():
                yield from self._assistant(message)
            case UserMessage(content=list(blocks)):
                yield from (self._result(block) for block in blocks if isinstance(block, ToolResultBlock))
            case SystemMessage():
                yield from _system(message)

    def _assistant(self, message: AssistantMessage) -> Iterator[Report]:
        within = {"parentToolUseId": message.parent_tool_use_id} if message.parent_tool_use_id else {}
        for block in message.content:
            if isinstance(block, TextBlock) and message.model == SYNTHETIC and (refusal := out_of_money(block.text)):
                yield _line(refusal)
            elif isinstance(block, TextBlock) and block.text:
                yield LogReport(stream="agent", text=block.text, data=within or None)
            elif isinstance(block, ToolUseBlock):
                data = {"tool": block.name, "input": self._bounded(block.input), "toolUseId": block.id, **within}
                yield LogReport(stream="tool", text=f"{block.name}: {self._brief(block.input)}", data=data)
                yield ProgressReport(last_tool=block.name)
        if self._is_new_turn(message):
            self.turns += 1
            yield ProgressReport(turns=self.turns)

    def _is_new_turn(self, message: AssistantMessage) -> bool:
        """An answer comes as one message for each of its blocks, all with the same id."""
        if message.parent_tool_use_id or message.model == SYNTHETIC or message.message_id == self._last_answer:
            return False
        self._last_answer = message.message_id
        return True

    def _result(self, block: ToolResultBlock) -> LogReport:
        parts = block.content if isinstance(block.content, list) else [{"type": "text", "text": block.content or ""}]
        text = "\n".join(str(part.get("text", f"[{part.get('type')}]")) for part in parts)
        data = {"toolUseId": block.tool_use_id, "isError": bool(block.is_error)}
        return LogReport(stream="tool", text=self._cut(text, MAX_TEXT), data=data)

    def _brief(self, given: Mapping[str, Any]) -> str:
        told = next((str(given[name]) for name in TELLING if given.get(name)), json.dumps(given, ensure_ascii=False))
        return self._cut(" ".join(told.split()), MAX_BRIEF)

    def _bounded(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._cut(value, MAX_INPUT)
        if isinstance(value, dict):
            return {key: self._bounded(inner) for key, inner in value.items()}
        return [self._bounded(inner) for inner in value] if isinstance(value, list) else value

    def _cut(self, text: str, most: int) -> str:
        if len(text) <= most:
            return text
        return f"{self._redactor.text(clean(text))[:most]} … [{len(text):,} characters, cut]"


def _system(message: SystemMessage) -> Iterator[Report]:
    data = message.data
    match message.subtype:
        case "init":
            yield ProgressReport(session_id=data["session_id"])
            yield from (_line(text) for text in _missing_servers(data))
        case "api_retry":
            yield _line(_retry(data), data)
        case "task_started":
            yield _line(f"Started: {data.get('description', '')}", data)
        case "compact_boundary":
            yield _line("The conversation was summarised to make room.", data)
        case _ if isinstance(content := data.get("content"), str) and content:
            yield _line(content)


def _missing_servers(init: Mapping[str, Any]) -> Iterator[str]:
    for server in init.get("mcp_servers", []):
        if server["status"] not in ("connected", "pending"):
            yield f"MCP server {server['name']}: {server['status']}"


def _retry(data: Mapping[str, Any]) -> str:
    status = data.get("error_status")
    what = f"The API answered {status}" if status else "The answer of the API broke off"
    seconds = data.get("retry_delay_ms", 0) / 1000
    return f"{what}; try {data.get('attempt')} of {data.get('max_retries')} follows in {seconds:.1f} s."


def _line(text: str, data: Mapping[str, Any] | None = None) -> LogReport:
    kept = {key: value for key, value in (data or {}).items() if key not in ("type", "uuid", "session_id", "prompt")}
    return LogReport(stream="system", text=text, data=kept or None)
