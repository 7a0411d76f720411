"""Handing over what the branch holds: to the remote, or as a patch."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from swarm_api.worker import Source
from swarm_worker.checkout import Checkout
from swarm_worker.git import GitFailed

DIFF = (
    "diff", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--full-index", "--binary", "--src-prefix=a/",
    "--dst-prefix=b/", "--submodule=short", "--no-relative", "-O/dev/null",
)  # fmt: skip
MAX_PATCH = 8 * 1024 * 1024
MAX_ENCODED = 9_500_000
"""Bytes of the patch as JSON: a hub takes requests of up to ten megabytes."""


class DeliveryFailed(Exception):
    """The work is on the branch and goes no further. `code` is the result's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


async def push(checkout: Checkout, source: Source, commit: str) -> None:
    """To the branch's own name at the repository's remote. Raises `DeliveryFailed`."""
    remote = source.location if source.kind == "url" else "origin"  # in a clone, an agent may have changed `origin`
    git, _ = await checkout.repo.git.secured()
    try:
        await git.remote("push", "--quiet", "--no-verify", "--", remote, f"{commit}:{checkout.ref}")
    except GitFailed as failure:
        message = f"{checkout.branch} could not be pushed to {remote}: {failure}"
        raise DeliveryFailed("push_failed", message) from failure


async def make_patch(checkout: Checkout, commit: str, folder: Path) -> str:
    """The difference between base and commit as `git apply` takes it. Raises `DeliveryFailed`, `GitFailed`, `OSError`.

    It is written below `folder` under a new name: the agent may have put links in the place of old ones.
    """
    with TemporaryDirectory(dir=folder) as tmp:
        return await _make_patch(checkout, commit, Path(tmp))


async def _make_patch(checkout: Checkout, commit: str, tmp: Path) -> str:
    patch = _text(await _diff(checkout, commit, tmp))
    if patch is None:
        # Text in another encoding does not survive JSON. As binary it does.
        attributes = tmp / "attributes"
        attributes.write_text("* -diff\n")
        patch = _text(await _diff(checkout, commit, tmp, "-c", f"core.attributesFile={attributes}"))
    if patch is None:
        raise DeliveryFailed("delivery_failed", "the patch holds text that is not UTF-8; the work is on the branch")
    if (size := len(json.dumps(patch, ensure_ascii=False).encode())) > MAX_ENCODED:
        raise _too_big(size, MAX_ENCODED)
    return patch


async def _diff(checkout: Checkout, commit: str, tmp: Path, *options: str) -> bytes:
    target = tmp / "patch"
    await checkout.outside.run(*options, *DIFF, f"--output={target}", "--end-of-options", checkout.base, commit, "--")
    if (size := target.stat().st_size) > MAX_PATCH:
        raise _too_big(size, MAX_PATCH)
    return target.read_bytes()


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _too_big(size: int, limit: int) -> DeliveryFailed:
    message = f"the patch has {size:,} bytes, of at most {limit:,}; the work is on the branch"
    return DeliveryFailed("delivery_failed", message)
