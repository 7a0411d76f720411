"""Credentials in use are known in every form they may be written in."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm_api.redaction import MARK, Redactor
from swarm_api.redaction_forms import BEGINNING

SECRET = 'a "quoted" secret / with ünusual = characters'
PLAIN = "opaque0secret1without2a3shape4of5its6own"
redactor = Redactor([SECRET, PLAIN])


@pytest.mark.parametrize("secret", [SECRET, PLAIN])
@pytest.mark.parametrize(
    "written",
    [str, lambda text: json.dumps(text)[1:-1], lambda text: json.dumps(text, ensure_ascii=False)[1:-1], quote,
     lambda text: quote(text, safe="")],
)  # fmt: skip
def test_a_credential_in_use_is_replaced_however_it_is_written(secret: str, written: type[str]) -> None:
    line = f"it is {written(secret)}, and that is all"
    assert redactor.text(line) == f"it is {MARK}, and that is all"
    assert redactor.known_in(line)


@given(st.binary(max_size=20), st.binary(max_size=20), st.sampled_from([b64encode, urlsafe_b64encode]))
def test_a_credential_in_use_is_found_in_base_64_wherever_it_stands(
    before: bytes, after: bytes, encode: object
) -> None:
    encoded = encode(before + PLAIN.encode() + after).decode()  # type: ignore[operator]
    shown = redactor.text(encoded)
    assert MARK in shown
    assert all(
        shown.find(encoded[at : at + 8]) < 0 for at in range(len(before) * 4 // 3 + 4, len(before) * 4 // 3 + 40)
    )


def test_what_is_too_short_to_be_a_secret_is_none() -> None:
    assert Redactor(["test", ""]).text("a test of tests") == "a test of tests"


def test_a_credential_that_holds_another_is_replaced_whole() -> None:
    assert Redactor([PLAIN, PLAIN + "andmore"]).text(PLAIN + "andmore") == MARK


@pytest.mark.parametrize("length", [BEGINNING, BEGINNING + 1, BEGINNING + 15])
def test_what_is_left_of_a_credential_that_was_cut_off_is_replaced(length: int) -> None:
    one, other = (f"{PLAIN}andmore0{end}" for end in ("one-end-0123456789", "another-end-0123456789"))
    long, left = Redactor([one, other]), other[:length]
    assert long.text(f"it is {left}…") == f"it is {MARK}…"
    assert long.mask(f"it is {left}…".encode()) == f"it is {MARK.ljust(length, '*')}…".encode()


def test_the_beginning_of_an_api_key_may_be_shown() -> None:
    key = "sk_swarm_0123456789abcdef_" + "k" * 43
    assert Redactor([key]).text("refused sk_swarm_0123456789abcdef_…") == "refused sk_swarm_0123456789abcdef_…"


def test_what_is_learnt_is_known_from_then_on() -> None:
    growing = Redactor()
    stream = growing.stream()
    growing.learn(PLAIN)
    assert stream.feed(f"{PLAIN}\n") == f"{MARK}\n"


def test_texts_and_names_of_a_json_value_are_redacted_and_nothing_else() -> None:
    value = {"a": [PLAIN, 1, None, True, 2.5], PLAIN: {"b": f"x{PLAIN}x"}}
    assert redactor.value(value) == {"a": [MARK, 1, None, True, 2.5], MARK: {"b": f"x{MARK}x"}}


def test_a_mask_has_the_length_of_what_it_hides_and_touches_nothing_else() -> None:
    data = f"-ghp_{'a1' * 18}\n+{PLAIN} {json.dumps(SECRET)}\x00".encode() + b"\xff"
    masked = redactor.mask(data)
    assert len(masked) == len(data)
    assert masked.startswith(f"-ghp_{'a1' * 18}\n+{MARK}***".encode())
    assert PLAIN.encode() not in masked
    assert json.dumps(SECRET)[1:-1].encode() not in masked
    assert masked.endswith(b'*"\x00\xff')


@given(st.text())
def test_what_is_not_suspected_is_not_changed(text: str) -> None:
    assert redactor.suspects(text) or redactor.text(text) == text
