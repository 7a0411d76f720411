"""The steps of a Dockerfile, taken in an unpacked Debian instead of an engine: what it does is proved all the same.

The base image is that Debian with its own Python. COPY, RUN, ENV, USER and WORKDIR are carried out as an engine would;
the rest is metadata, which is kept.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockerfile_parse import DockerfileParser

from frame.tree import ROOT

SUITE = "bookworm"
PACKAGES = "python3,python3-venv"
OUTSIDE = ("/etc/resolv.conf", "/etc/pip.conf", "/etc/ssl/certs", "/usr/local/share/ca-certificates",
           "/etc/apt/apt.conf.d", "/etc/apt/sources.list", "/etc/apt/sources.list.d", "/etc/apt/keyrings",
           "/etc/apt/trusted.gpg.d", "/usr/share/keyrings")  # fmt: skip
"""How this machine reaches its registries: needed while the image is made, and no part of it."""
CHROOT = shutil.which("chroot", path="/usr/sbin:/sbin:/usr/bin") or "chroot"
WITH_PROC = ["/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
             '/usr/bin/mount -t proc proc "$0/proc" && exec "$@"']  # fmt: skip
"""As engines do. The mount is the process's own, and gone with it."""
PASSED = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE",
          "REQUESTS_CA_BUNDLE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "PIP_CONFIG_FILE")  # fmt: skip


def missing() -> str:
    """Why no image can be made here; nothing where one can."""
    if os.geteuid() != 0:
        return "only root makes a Debian to unpack"
    return "" if shutil.which("mmdebstrap") else "mmdebstrap is not installed"


@dataclass
class Stage:
    """One stage on its way: its files, and what is declared for those who run it."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "0"
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)

    def run(self, command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
        """A program in it, as the user that is set."""
        return subprocess.run(self.command_line(command), env=self.variables(variables), capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL)  # fmt: skip

    def command_line(self, command: list[str]) -> list[str]:
        identity = [] if self.user == "0" else [f"--userspec={self.user}:{self.user}"]
        inside = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', self.workdir, *command]
        return [*WITH_PROC, str(self.root), CHROOT, *identity, str(self.root), *inside]

    def variables(self, more: dict[str, str]) -> dict[str, str]:
        """As an engine gives them, with the user's home."""
        home = "/root" if self.user == "0" else "/var/lib/swarm"
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": home,
            **self.environment,
            **more,
        }


class Images:
    """Makes the stages of the project's Dockerfile below a folder, each once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stages: dict[str, Stage] = {}
        parser = DockerfileParser(path=str(ROOT / "Dockerfile"))
        self._steps = [step for step in parser.structure if step["instruction"] not in ("COMMENT", "ARG")]

    def stage(self, name: str) -> Stage:
        if name not in self._stages:
            self._stages[name] = self._make(name)
        return self._stages[name]

    def _make(self, name: str) -> Stage:
        steps = self._of(name)
        base = steps[0]["value"].split()[0]
        stage = self._begin(name, base)
        with _Outside(stage.root):
            for step in steps[1:]:
                self._take(stage, step["instruction"], step["value"])
        return stage

    def _of(self, name: str) -> list[Any]:
        starts = [i for i, step in enumerate(self._steps) if step["instruction"] == "FROM"]
        begin = next(i for i in starts if self._steps[i]["value"].split()[-1] == name)
        end = next((i for i in starts if i > begin), len(self._steps))
        return self._steps[begin:end]

    def _begin(self, name: str, base: str) -> Stage:
        root = self._folder / name
        if base.startswith("python:"):
            _copy(self._debian(), root)
            return Stage(root)
        before = self.stage(base)
        _copy(before.root, root)
        return Stage(root, dict(before.environment), before.user, before.workdir)

    def _debian(self) -> Path:
        path = self._folder / "debian"
        if not path.exists():
            subprocess.run(["mmdebstrap", "--quiet", "--variant=apt", f"--include={PACKAGES}", SUITE, path], check=True,
                           stdin=subprocess.DEVNULL, capture_output=True)  # fmt: skip
        return path

    def _take(self, stage: Stage, instruction: str, value: str) -> None:
        if instruction == "RUN":
            run = stage.run(
                ["/bin/sh", "-c", value], **{name: os.environ[name] for name in PASSED if name in os.environ}
            )
            assert run.returncode == 0, f"RUN {value}\n{run.stdout[-2000:]}\n{run.stderr[-2000:]}"
        elif instruction == "COPY":
            self._copied(stage, value.split())
        elif instruction == "ENV":
            stage.environment |= _pairs(value)
        elif instruction == "USER":
            stage.user = value
        elif instruction == "WORKDIR":
            stage.workdir = value
            (stage.root / value[1:]).mkdir(parents=True, exist_ok=True)
        elif instruction in ("ENTRYPOINT", "HEALTHCHECK"):
            words = json.loads(value[value.index("[") :])
            setattr(stage, "entrypoint" if instruction == "ENTRYPOINT" else "command", words)
        elif instruction == "EXPOSE":
            stage.ports.append(value)

    def _copied(self, stage: Stage, words: list[str]) -> None:
        if words[0].startswith("--from="):
            before = self.stage(words[0].removeprefix("--from="))
            _copy(before.root / words[1][1:], stage.root / words[2][1:])
            return
        for path in _context():
            target = stage.root / stage.workdir[1:] / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, target)


class _Outside:
    """What a step needs of this machine to reach its registries, put into a root and taken out again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kept = root.with_name(f"{root.name}-kept")

    def __enter__(self) -> None:
        for name in OUTSIDE:
            inside, kept = self._root / name[1:], self._kept / name[1:]
            if os.path.lexists(inside):
                kept.parent.mkdir(parents=True, exist_ok=True)
                inside.rename(kept)
            if Path(name).exists():  # what it leads to, where it is a link
                inside.parent.mkdir(parents=True, exist_ok=True)
                _copy(Path(name), inside)

    def __exit__(self, *_: object) -> None:
        for name in OUTSIDE:
            inside, kept = self._root / name[1:], self._kept / name[1:]
            if inside.is_dir() and not inside.is_symlink():
                shutil.rmtree(inside)
            else:
                inside.unlink(missing_ok=True)
            if os.path.lexists(kept):
                kept.rename(inside)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "-H", str(source), str(target)], check=True, capture_output=True)


def _pairs(value: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in value.split())


def _context() -> list[Path]:
    """What an engine would be sent: the tracked files that .dockerignore lets through."""
    from frame.tree import tracked

    wanted = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    return [path for path in tracked() if any(path.is_relative_to(name) for name in wanted)]
