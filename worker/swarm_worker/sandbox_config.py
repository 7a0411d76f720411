"""A repository's configuration as an agent in a sandbox gets it: what git works by, and nothing that opens a door."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SECTIONS = frozenset({
    "apply", "author", "blame", "branch", "color", "column", "committer", "core", "diff", "extensions", "fetch",
    "filter", "format", "grep", "i18n", "index", "log", "merge", "pull", "push", "rebase", "remote", "rerere", "status",
    "submodule", "user", "versionsort",
})  # fmt: skip
"""A list of what passes: tokens are kept under `http`, `credential`, `url`, and under names nobody has thought of."""
GENERAL = frozenset({"core", "filter", "user"})
"""Of the user's own configuration."""
OF_MACHINE = SECTIONS | {"init", "protocol", "safe"}
LEFT_OUT = frozenset({
    "core.alternaterefscommand", "core.askpass", "core.attributesfile", "core.editor", "core.excludesfile",
    "core.fsmonitor", "core.gitproxy", "core.hookspath", "core.pager", "core.sshcommand", "core.worktree",
    "extensions.refstorage", "extensions.worktreeconfig",
})  # fmt: skip
"""Programs and files that are not in the sandbox, and what is not so in the repository that an agent gets."""
OF_REMOTES = frozenset({"url", "pushurl", "fetch", "promisor", "partialclonefilter"})


@dataclass(frozen=True)
class Setting:
    scope: str
    key: str
    value: str | None


def read(listing: str) -> list[Setting]:
    """From what `git config -z --show-scope --list` prints."""
    fields = iter(listing.split("\0"))
    return [_setting(scope, text) for scope, text in zip(fields, fields, strict=False)]


def of_repository(settings: Iterable[Setting]) -> str:
    """The file that stands in for the repository's own."""
    own = (setting for setting in settings if setting.scope in ("local", "worktree"))
    return _file(setting for setting in own if _passes(setting, SECTIONS))


def of_user(settings: Iterable[Setting]) -> str:
    """The file that our own calls of git get for the user's."""
    general = (setting for setting in settings if setting.scope == "global")
    return _file(setting for setting in general if _passes(setting, GENERAL))


def of_machine(settings: Iterable[Setting]) -> str:
    """The file that stands in for `/etc/gitconfig`."""
    return _file(setting for setting in settings if setting.scope == "system" and _passes(setting, OF_MACHINE))


def _setting(scope: str, text: str) -> Setting:
    key, told, value = text.partition("\n")
    return Setting(scope, key, value if told else None)


def _passes(setting: Setting, sections: frozenset[str]) -> bool:
    section, _, name = setting.key.partition(".")
    if section not in sections or setting.key in LEFT_OUT:
        return False
    return section != "remote" or name.rpartition(".")[2] in OF_REMOTES


def _file(settings: Iterable[Setting]) -> str:
    return "".join(line for setting in settings for line in _lines(setting))


def _lines(setting: Setting) -> Iterator[str]:
    section, _, rest = setting.key.partition(".")
    sub, _, name = rest.rpartition(".")
    yield f"[{section} {_quoted(sub)}]\n" if sub else f"[{section}]\n"
    yield f"\t{name}\n" if setting.value is None else f"\t{name} = {_quoted(_without_password(setting.value))}\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _without_password(text: str) -> str:
    """A URL without what it may say of its user."""
    return re.sub(r"^([a-z0-9+.-]+://)[^/]*@", r"\1", text, flags=re.IGNORECASE)
