"""What `make lint` says of known vulnerabilities, whatever there is to ask."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[2] / ".ci/audit.py"
ONE = {"id": "PYSEC-2026-1", "fix_versions": ["1.2"], "aliases": ["CVE-2026-1"], "description": "it is bad"}


def said(program: str) -> tuple[int, str]:
    """The exit code and the words about what this answered in pip-audit's place."""
    run = subprocess.run(
        [sys.executable, SCRIPT, sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.stderr == ""
    assert not run.stdout.startswith(("WARNING", "warning"))
    return run.returncode, run.stdout


def answered(*packages: dict[str, Any]) -> tuple[int, str]:
    answer = json.dumps({"dependencies": packages, "fixes": []})
    return said(f"print({answer!r}); raise SystemExit({int(any(each.get('vulns') for each in packages))})")


def test_a_known_vulnerability_fails() -> None:
    code, text = answered({"name": "a", "version": "1.0", "vulns": []}, {"name": "b", "version": "1.1", "vulns": [ONE]})
    assert code == 1
    assert text == "pip-audit: b 1.1: PYSEC-2026-1, CVE-2026-1; mended in 1.2\n"


def test_none_is_said_in_a_line() -> None:
    assert answered({"name": "a", "version": "1.0", "vulns": []}) == (
        0,
        "pip-audit: 1 packages without a known vulnerability\n",
    )


def test_what_could_not_be_audited_is_counted() -> None:
    code, text = answered({"name": "a", "version": "1.0", "vulns": []}, {"name": "b", "skip_reason": "not found"})
    assert (code, "; 1 more could not be audited" in text) == (0, True)


def test_an_index_without_vulnerabilities_is_told_from_a_good_answer() -> None:
    code, text = answered({"name": "a", "skip_reason": "not found"}, {"name": "b", "skip_reason": "not found"})
    assert (code, text) == (0, "pip-audit: NOTHING WAS AUDITED: the index knows nothing of vulnerabilities\n")


def test_so_is_a_machine_without_a_network() -> None:
    code, text = said("import sys; print('Traceback', file=sys.stderr); sys.exit('no route to the index')")
    assert (code, text) == (0, "pip-audit: NOTHING WAS AUDITED: no route to the index\n")


def test_so_is_a_missing_program() -> None:
    code, text = said("raise SystemExit(3)")
    assert (code, text) == (0, "pip-audit: NOTHING WAS AUDITED: it ended with 3\n")
