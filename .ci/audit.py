"""Ask for known vulnerabilities of what constraints.txt pins: 1 when there is one.

Without a service to ask (no network, an index that knows nothing of them) nothing is audited: said plainly, and no
failure, as nobody at this machine could mend it.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

ASK = (
    sys.executable, "-m", "pip_audit", "--requirement", "constraints.txt", "--no-deps", "--disable-pip", "--format",
    "json", "--progress-spinner", "off", "--timeout", "10",
)  # fmt: skip
LIMIT = 300  # seconds


def main(ask: Sequence[str]) -> int:
    """`ask`: a program that answers as `pip-audit --format json` does."""
    packages, trouble = _answer(ask)
    found = [line for package in packages for line in _vulnerabilities(package)]
    asked = [package for package in packages if "skip_reason" not in package]
    for line in found or [_summary(len(asked), len(packages), trouble)]:
        sys.stdout.write(f"pip-audit: {line}\n")
    return 1 if found else 0


def _answer(ask: Sequence[str]) -> tuple[list[dict[str, Any]], str]:
    """What is known of each package; none, and why, where nobody answered."""
    try:
        run = subprocess.run(ask, capture_output=True, text=True, timeout=LIMIT, check=False)
        packages: list[dict[str, Any]] = json.loads(run.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return [], f"no answer within {LIMIT} s"
    except (ValueError, KeyError):
        said = run.stderr.strip().splitlines() or [f"it ended with {run.returncode}"]
        return [], said[-1]
    return packages, "the index knows nothing of vulnerabilities"


def _vulnerabilities(package: dict[str, Any]) -> Iterator[str]:
    for known in package.get("vulns", ()):
        names = ", ".join([known["id"], *known.get("aliases", ())])
        mended = ", ".join(known.get("fix_versions", ())) or "no release yet"
        yield f"{package['name']} {package['version']}: {names}; mended in {mended}"


def _summary(asked: int, packages: int, trouble: str) -> str:
    if not asked:
        return f"NOTHING WAS AUDITED: {trouble}"
    unknown = f"; {packages - asked} more could not be audited" if packages > asked else ""
    return f"{asked} packages without a known vulnerability{unknown}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or ASK))
