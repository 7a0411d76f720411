"""A Messages API on loopback that says what a test wrote down: the model's side of a conversation, and its faults."""

from scripted_api.faults import Drop, Fault, Hang, Reset, Status, StreamError, Truncate
from scripted_api.script import Call, Request, Script, Text, Turn, Usage
from scripted_api.server import ScriptedApi, Seen, scripted_api

__all__ = [
    "Call", "Drop", "Fault", "Hang", "Request", "Reset", "Script", "ScriptedApi", "Seen", "Status",
    "StreamError", "Text", "Truncate", "Turn", "Usage", "scripted_api",
]  # fmt: skip
