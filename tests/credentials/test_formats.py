"""What is stored looks like what it is called; what does not is refused without being shown."""

import pytest

from credentials.examples import EXAMPLES
from swarm_api.credentials import NAMES, CredentialError, Credentials
from swarm_api.credentials.formats import LONGEST, check

GOOD = {
    "anthropic-api-key": ["sk-ant-api03-" + "x" * 95, "sk-ant-api04-" + "x" * 20],
    "fly-api-token": ["fo1_" + "a-_Z" * 10, "fm2_" + "a+/=" * 300, "FlyV1 fm1r_" + "a" * 40 + ",fm1a_" + "b" * 40],
    "github-token": [prefix + "a1B2" * 9 for prefix in ("ghp_", "gho_", "ghs_", "ghu_")]
    + ["github_pat_" + "1A" * 11 + "_" + "b" * 59],
    "orchestrator-jwt": ["eyJhbGciOiJIUzI1NiJ9.e30.c2ln"],
    "swarm-api-key": ["sk_swarm_abcdef_" + "A1" * 16, "sk_swarm_" + "z9" * 8 + "_" + "x" * 43],
}
BAD = {
    "anthropic-api-key": [
        "sk-ant-xxx", "sk-ant-", "api03-" + "x" * 95, "sk-ant-api03-" + "x" * 50 + "=" + "x" * 40,
        "sk-ant-oat01-" + "x" * 95, "sk-ant-admin01-" + "x" * 95, "sk-ant-api03-" + "x" * 300, "sk-proj-" + "x" * 40,
    ],
    "fly-api-token": ["fo1_xxx", "FlyV1 " + "x" * 40, "fm3_" + "x" * 40, "fm2_" + "x" * 40 + ","],
    "github-token": ["ghp_xxx", "ghr_" + "a" * 36, "a" * 40, "github_pat_" + "-" * 40],
    "orchestrator-jwt": ["eyJ", "eyJhbGciOiJIUzI1NiJ9.e30", "eyJhbGciOiJIUzI1NiJ9.e30.", "abc.def.ghi", "eyJa.b.c.d"],
    "swarm-api-key": ["sk_swarm_abc_" + "x" * 32, "sk_swarm_abcdef_" + "x" * 31, "sk_swarm_ABCDEF_" + "x" * 32],
}  # fmt: skip
HOSTILE = {
    "NUL": "{}\0", "newline": "{}\n", "newline within": "{}\nX", "carriage return": "{}\r", "escape": "\x1b[2J{}",
    "blank before": " {}", "blank after": "{} ", "not ASCII": "{}é", "lone surrogate": "{}\udc80",
    "right-to-left": "\u202e{}", "nothing": "",
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in NAMES for value in GOOD[name]])
def test_a_plausible_one_is_taken(name: str, value: str) -> None:
    check(name, value)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in NAMES for value in BAD[name]])
def test_one_of_the_wrong_form_is_refused(name: str, value: str) -> None:
    with pytest.raises(CredentialError, match=f"^{name}: it has the wrong form: "):
        check(name, value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_one_is_refused(name: str, kind: str) -> None:
    with pytest.raises(CredentialError, match=f"^{name}: it "):
        check(name, HOSTILE[kind].format(EXAMPLES[name]))


@pytest.mark.parametrize("name", NAMES)
def test_one_of_a_megabyte_is_refused_by_its_length(name: str) -> None:
    with pytest.raises(CredentialError, match=f"^{name}: it has 1000000 characters; {LONGEST} are allowed$"):
        check(name, EXAMPLES[name].ljust(1_000_000, "x"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("other", NAMES)
def test_one_credential_does_not_pass_for_another(name: str, other: str) -> None:
    if name == other:
        check(name, EXAMPLES[other])
    else:
        with pytest.raises(CredentialError):
            check(name, EXAMPLES[other])


@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_holds_no_part_of_the_value(name: str) -> None:
    with pytest.raises(CredentialError) as refused:
        check(name, f"Qz7{EXAMPLES[name]}Qz8")
    assert "Qz" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_is_refused_is_not_stored(credentials: Credentials) -> None:
    with pytest.raises(CredentialError):
        credentials.store("github-token", "ghp_xxx")
    assert credentials.find("github-token") is None
