"""What is taken for a credential by its shape, and what is not."""

import json

import pytest

from frame.tree import ROOT
from redaction.credentials import AWS_SECRET, JWT, OPAQUE, PASSWORD, SAID, drawn, pem
from swarm_api.redaction import MARK, Redactor

redact = Redactor().text


@pytest.mark.parametrize("shape", SAID)
def test_every_shape_is_replaced(shape: str) -> None:
    credential, line = SAID[shape]
    shown = redact(line)
    assert MARK in shown
    assert credential not in shown


@pytest.mark.parametrize("shape", SAID)
def test_a_shape_is_found_in_json_within_json(shape: str) -> None:
    """Where the character before it is that of an escape."""
    credential, line = SAID[shape]
    assert credential not in redact(json.dumps({"said": json.dumps({"line": f"first\n{line}\n"})}))


@pytest.mark.parametrize("shape", SAID)
def test_what_was_replaced_stays_as_it_is(shape: str) -> None:
    shown = redact(SAID[shape][1])
    assert redact(shown) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (f"Authorization: Bearer {OPAQUE}", f"Authorization: Bearer {MARK}"),
        (f"> authorization: Basic {drawn(24)}", f"> authorization: Basic {MARK}"),
        (f"{{\\\"SecretAccessKey\\\": \\\"{AWS_SECRET}\\\"}}", f"{{\\\"SecretAccessKey\\\": \\\"{MARK}\\\"}}"),
        (f"git clone https://ada:{PASSWORD}@example.org/x.git", f"git clone https://ada:{MARK}@example.org/x.git"),
        (f"Cookie: session={JWT}; theme=dark", f"Cookie: session={MARK}; theme=dark"),
    ],
)  # fmt: skip
def test_what_tells_of_a_credential_stays(line: str, shown: str) -> None:
    assert redact(line) == shown


ORDINARY = [
    "commit 1f0c3a9e5b7d2468ace013579bdf02468ace1357 (HEAD -> main)",
    "uuid 123e4567-e89b-12d3-a456-426614174000",
    '"integrity": "sha512-' + drawn(86, "abcDEF012+/") + '=="',
    "sha256:" + "0123456789abcdef" * 4,
    "sk-learn and sk-ant farms; task-ant-colony-optimizer-v2; desk-ant-repellent-9000",
    'resolved "https://packages.example/@babel/core/-/core-7.24.0.tgz"',
    "GET http://localhost:3000/@scope/package?at=10:30@noon",
    "ssh://git@github.com:22/ada/demo.git, git@github.com:ada/demo.git, mail ada@example.org",
    "def fm2_compute_the_second_moment_of_inertia(self) -> float:",
    "ghp_ and gho_ are prefixes; github_pat_ too; so is sk_swarm_",
    "the bearer of this letter; a bearer responsibility; Bearer authentication",
    'headers = {"Authorization": f"Bearer {token}", "x-api-key": settings.anthropic_api_key}',
    "Authorization: Basic authentication is off",
    "curl -H 'Authorization: Bearer $TOKEN' -H 'x-api-key: ${KEY}' https://$USER:$PASSWORD.example.org",
    "secret_key = load_secret_access_key(path)",
    "AKIA is where their ids begin, ASIA those that end soon; ASIAPACIFIC-SOUTHEAST1",
    "monkeyJar.open.lid and eyJar.open.lid",
    '    if "-----BEGIN PRIVATE KEY-----" in text: raise ValueError(text)',
    "-----BEGIN CERTIFICATE-----\n" + "\n".join(pem().splitlines()[1:-1]) + "\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\n" + "\n".join(pem().splitlines()[1:-1]) + "\n-----END PUBLIC KEY-----",
    "A key begins with -----BEGIN RSA PRIVATE KEY-----\nand ends with -----END RSA PRIVATE KEY-----\nthat is all",
    "Läufe: ☕ 10:30 · naïve — “quoted” … 日本語のログ",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


FOLDERS = ("api", "bench", "cli", "executors", "hub", "worker")


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_code_of_this_repository_is_ordinary_text(folder: str) -> None:
    texts = [path.read_text() for path in (ROOT / folder).rglob("*.py")]
    assert texts
    assert [text for text in texts if redact(text) != text] == []


KINDS = ["RSA ", "", "EC ", "OPENSSH ", "ENCRYPTED "]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", ["", "+", "   ", "> ", "key.pem:", "    12\t", "   12→", "# "])
def test_no_line_of_a_private_key_is_left(kind: str, before: str) -> None:
    lines = pem(kind).splitlines()
    shown = redact("first\n" + "\n".join(before + line for line in lines) + "\nlast\n").splitlines()
    assert len(shown) == len(lines) + 2
    assert (shown[0], shown[-1]) == ("first", "last")
    assert [line for line in lines[1:-1] if line in "\n".join(shown)] == []
    assert set(shown[2:-2]) <= {before + MARK, f"{before}+{MARK}"}  # a plus may be a diff's


def test_a_private_key_with_headers_keeps_them() -> None:
    begin, *body, end = pem().splitlines()
    headers = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-256-CBC,0A1B2C3D", ""]
    shown = redact("\n".join([begin, *headers, *body, end])).splitlines()
    assert shown[:4] == [begin, *headers]
    assert set(shown[4:-1]) <= {MARK, f"+{MARK}"}


def test_a_private_key_without_its_end_ends_where_its_lines_do() -> None:
    text = "\n".join([*pem().splitlines()[:-2], "and here is what came next, 64 characters or not"])
    assert redact(text).splitlines()[-1] == "and here is what came next, 64 characters or not"
