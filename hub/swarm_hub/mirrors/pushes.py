"""What a push asks for, read from its own words before git hears of it: hooks, which could do that, are off."""

import re
from collections.abc import Callable
from typing import NamedTuple

from swarm_api.errors import Forbidden, MalformedRequest

LONGEST = 1_000_000  # bytes of commands: thousands of branches
_COMMAND = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) ([^\0\n]+)")
_NAME = re.compile(r"refs/(heads|tags)/[A-Za-z0-9_][A-Za-z0-9_.+@-]*(/[A-Za-z0-9_][A-Za-z0-9_.+@-]*)*")


class Command(NamedTuple):
    """One ref that is to move, from one commit to another; `new` is all zeros to delete it."""

    old: str
    new: str
    ref: str

    @property
    def deletes(self) -> bool:
        return not self.new.strip("0")


def read_commands(data: bytes) -> list[Command] | None:
    """The commands at the beginning of a push; None when more of it is needed. Raises `MalformedRequest`.

    https://git-scm.com/docs/pack-protocol: pkt-lines up to a flush, then options, then the pack.
    """
    commands: list[Command] = []
    at = 0
    while len(data) >= at + 4:
        length = _length(data[at : at + 4])
        if length == 0:
            return commands
        if len(data) < at + length:
            break
        line = data[at + 4 : at + length].partition(b"\0")[0].rstrip(b"\n")
        if not line.startswith(b"shallow "):
            commands.append(_command(line))
        at += length
    if len(data) > LONGEST:
        raise MalformedRequest("a push of more branches than are taken at once")
    return None


def refuse_others(commands: list[Command], may: Callable[[str], bool], allowed: str) -> None:
    """Raises `Forbidden`, naming the ref, for what a push may not do."""
    for command in commands:
        if command.deletes or not may(command.ref):
            what = "delete" if command.deletes else "push to"
            raise Forbidden(f"you may not {what} {command.ref!r} here; allowed: {allowed}", code="ref_not_allowed")


def is_plain(ref: str) -> bool:
    """A branch or tag that no program takes for something else, and no branch of an agent's."""
    odd = ".." in ref or "@{" in ref or any(part.endswith((".lock", ".")) for part in ref.split("/"))
    return bool(_NAME.fullmatch(ref)) and not odd and not ref.startswith("refs/heads/swarm/")


def _length(raw: bytes) -> int:
    try:
        length = int(raw, 16)
    except ValueError:
        length = -1
    if length != 0 and length < 5:
        raise MalformedRequest("this is no push: a pkt-line was expected")
    return length


def _command(line: bytes) -> Command:
    found = _COMMAND.fullmatch(line)
    if found is None:
        raise MalformedRequest("this is no push that is taken here: a plain command was expected")
    try:
        return Command(found[1].decode(), found[2].decode(), found[3].decode())
    except UnicodeDecodeError:
        raise MalformedRequest("the name of a branch is not UTF-8") from None
