"""What git reads from configuration, and what of a repository's own it must not act on.

A repository's configuration can name programs that git runs: filters, credential helpers, ssh commands. The agent can
write that configuration. In our calls only those count that the user or the machine has configured.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

SETTINGS: Mapping[str, str] = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.safecrlf": "false",
    "commit.gpgSign": "false",
    "push.gpgSign": "false",
    "push.recurseSubmodules": "no",
    "fetch.recurseSubmodules": "no",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "init.templateDir": "",
    "advice.addEmbeddedRepo": "false",
}
PROGRAMS = (
    r"^(user\.(name|email)|core\.(sshcommand|askpass|alternaterefscommand)"
    r"|(filter|credential)\..*|remote\..*\.(vcs|uploadpack|receivepack))$"
)
"""Keys as `git config --get-regexp` matches them: section and variable in lower case."""

IDLE: Mapping[str, str] = {"core.alternaterefscommand": "true"}
# Of these git takes the first that is configured, and nothing we could say later counts. So our fetches and pushes name
# the program, and what git would fetch by itself, because a partial clone lacks it, is not fetched.
OF_REMOTES = (".uploadpack", ".receivepack")
BY_GIT_ITSELF = {"fetch": "--upload-pack=git-upload-pack", "push": "--receive-pack=git-receive-pack"}
SSH = "ssh -oBatchMode=yes"  # nobody is there to answer a question
OF_REPOSITORY = frozenset({"local", "worktree"})
SELF = ("Claude Swarm", "claude-swarm@localhost")


@dataclass(frozen=True)
class Entry:
    scope: str
    key: str
    value: str


@dataclass(frozen=True)
class Config:
    """`name` and `email` of whoever commits; `overrides` for our calls; `muted` filters of the repository.

    `fetches`: git may fetch what is missing.
    """

    name: str
    email: str
    ssh: str
    overrides: Sequence[tuple[str, str]]
    muted: Sequence[str]
    fetches: bool

    def environment(self) -> dict[str, str]:
        """The variables that make git use all this."""
        pairs = [*SETTINGS.items(), *self.overrides]
        numbered = {f"GIT_CONFIG_KEY_{i}": key for i, (key, _) in enumerate(pairs)}
        numbered |= {f"GIT_CONFIG_VALUE_{i}": value for i, (_, value) in enumerate(pairs)}
        numbered |= {} if self.fetches else {"GIT_NO_LAZY_FETCH": "1"}
        return {**numbered, "GIT_CONFIG_COUNT": str(len(pairs)), "GIT_SSH_COMMAND": self.ssh, **self.identity()}

    def identity(self) -> dict[str, str]:
        return {
            "GIT_AUTHOR_NAME": self.name, "GIT_AUTHOR_EMAIL": self.email,
            "GIT_COMMITTER_NAME": self.name, "GIT_COMMITTER_EMAIL": self.email,
        }  # fmt: skip


def read_config(listing: str) -> Config:
    """From what `git config -z --show-scope --get-regexp PROGRAMS` prints."""
    entries = list(_entries(listing))
    own = {entry.key for entry in entries if entry.scope in OF_REPOSITORY and not entry.key.startswith("user.")}
    trusted = [entry for entry in entries if entry.scope not in OF_REPOSITORY]
    return Config(
        name=_last(entries, "user.name") or SELF[0],
        email=_last(entries, "user.email") or SELF[1],
        ssh=_last(trusted, "core.sshcommand") or SSH,
        overrides=[pair for key in sorted(own) if not key.endswith(OF_REMOTES) for pair in _override(key, trusted)],
        fetches=not any(key.endswith(OF_REMOTES) for key in own),
        muted=sorted({key.split(".", 1)[1].rpartition(".")[0] for key in own if key.startswith("filter.")}),
    )


def _entries(listing: str) -> Iterator[Entry]:
    fields = iter(listing.split("\0"))
    for scope, setting in zip(fields, fields, strict=False):
        key, _, value = setting.partition("\n")
        yield Entry(scope, key, value)


def _last(entries: Sequence[Entry], key: str) -> str | None:
    values = [entry.value for entry in entries if entry.key == key]
    return values[-1] if values else None


def _override(key: str, trusted: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """Nothing first, which also empties lists, and then what the user has configured."""
    yield key, IDLE.get(key, "")
    for entry in trusted:
        if entry.key == key:
            yield key, entry.value
