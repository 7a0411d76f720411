"""Conversations of Claude Code with a scripted model, and on record what each answer of the model used."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from claude.bill import Answer
from claude.driving import bash
from scripted_api import Call, Script, Text, Turn, Usage

SONNET, OPUS, HAIKU, OLD_HAIKU = (
    "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", "claude-haiku-4-5-20251001",
)  # fmt: skip
# Odd numbers, each answer with its own: some amounts end in half a micro-dollar.
BEGIN, ON, END = (
    Usage(10_003, 57, cache_read=25, cache_write_5m=3_001, cache_write_1h=41),
    Usage(13, 811, cache_read=13_045, cache_write_5m=333),
    Usage(7, 129, cache_read=14_189, cache_write_5m=65),
)
DIG, FOUND = Usage(2_111, 73, cache_write_5m=999), Usage(17, 301, cache_read=3_105)
ASKED = Usage(5_077, 19)

STOP_HOOK = {
    "hooks": {"Stop": [{"hooks": [{"type": "prompt", "prompt": "$ARGUMENTS Is everything done?", "model": OLD_HAIKU}]}]}
}


@dataclass(frozen=True)
class Conversation:
    """`prompt` is the key of the main script; `repo_settings` are the `.claude/settings.json` of its repository."""

    prompt: str
    scripts: Mapping[str, Script]
    answers: tuple[Answer, ...]
    repo_settings: str = "{}"


def subagent(name: str, kind: str = "general-purpose", **model: str) -> Call:
    return Call("Agent", {"description": name, "prompt": f"dig {name}", "subagent_type": kind, **model})


CONVERSATIONS = {
    "text": Conversation(
        "Say it", {"Say it": [Turn((Text("It is said."),), Usage(20_011, 45))]}, ((SONNET, Usage(20_011, 45)),)
    ),
    "tools": Conversation(
        "Use tools",
        {
            "Use tools": [
                Turn((Text("I begin."), bash("true"), bash("echo two")), Usage(10_003, 57)),
                Turn((bash("exit 3"),), Usage(10_409, 811)),
                Turn((Text("Done."),), Usage(11_007, 129)),
            ]
        },
        ((SONNET, Usage(10_003, 57)), (SONNET, Usage(10_409, 811)), (SONNET, Usage(11_007, 129))),
    ),
    "cache": Conversation(
        "Remember",
        {"Remember": [Turn((bash("true"),), BEGIN), Turn((bash("true"),), ON), Turn((Text("Done."),), END)]},
        ((SONNET, BEGIN), (SONNET, ON), (SONNET, END)),
    ),
    "subagents": Conversation(
        "Delegate",
        {
            "Delegate": [
                Turn((subagent("a", "Explore"), subagent("b", model="haiku"), subagent("c", model="opus")), BEGIN),
                Turn((Text("All are back."),), END),
            ],
            "dig": [Turn((bash("true"),), DIG), Turn((Text("Found."),), FOUND)],
        },
        (
            (SONNET, BEGIN), (SONNET, END),
            (SONNET, DIG), (SONNET, FOUND), (HAIKU, DIG), (HAIKU, FOUND), (OPUS, DIG), (OPUS, FOUND),
        ),
    ),
    "background": Conversation(
        "Finish",
        {
            "Finish": [Turn((bash("true"),), BEGIN), Turn((Text("Done."),), END)],
            "Is everything done?": [Turn((Text('{"ok": true}'),), ASKED)],
        },
        ((SONNET, BEGIN), (SONNET, END), (OLD_HAIKU, ASKED)),
        json.dumps(STOP_HOOK),
    ),
}  # fmt: skip
"""`background`: the runtime itself asks another model, for a hook of the repository's, whether the work is done."""
