"""What is put into somebody's JSON leaves every other byte as it was, and can be taken out again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm_cli.json_text import END, put, take

SERVER = {"command": "swarm", "args": ["mcp"]}
PATHS = (("mcpServers", "swarm"), ("hooks", "PostToolUse", END), ("deep", "er", "still"))

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
hooks = st.fixed_dictionaries({}, optional={"PostToolUse": st.lists(values, max_size=2), "Stop": st.just([])})
servers = st.dictionaries(st.text(min_size=6), values, max_size=2)
known = st.fixed_dictionaries({}, optional={"mcpServers": servers, "hooks": hooks})


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A settings file as people and tools write them."""
    whole = {**draw(st.dictionaries(st.text(min_size=10), values, max_size=3)), **draw(known)}
    indent = draw(st.sampled_from([None, 0, 2, 4, "\t"]))
    text = json.dumps(whole, ensure_ascii=draw(st.booleans()), indent=indent)
    text += draw(st.sampled_from(["", "\n", "\n\n", "  "]))
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


def at(whole: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        whole = whole[-1] if part == END else whole[part]
    return whole


@given(texts(), st.sampled_from(PATHS))
def test_what_is_put_in_is_there(text: str, path: tuple[str, ...]) -> None:
    assert at(json.loads(put(text, path, SERVER).text), path) == SERVER


@given(texts(), st.sampled_from(PATHS))
def test_all_else_is_as_it_was_to_the_byte(text: str, path: tuple[str, ...]) -> None:
    """One piece was added, at one place."""
    after = put(text, path, SERVER).text
    same = next((i for i, (one, other) in enumerate(zip(text, after, strict=False)) if one != other), len(text))
    assert after.endswith(text[same:])


@given(texts(), st.sampled_from(PATHS))
def test_what_is_taken_out_leaves_what_was_there(text: str, path: tuple[str, ...]) -> None:
    added = put(text, path, SERVER)
    assert json.loads(take(added.text, path, SERVER, added.known)) == json.loads(text)


@given(texts(), st.sampled_from(PATHS))
def test_a_second_time_puts_nothing_in(text: str, path: tuple[str, ...]) -> None:
    once = put(text, path, SERVER).text
    assert put(once, path, SERVER) == (once, len(path))


@given(texts(), st.sampled_from(PATHS), st.text(max_size=5), values)
def test_what_somebody_adds_later_stays(text: str, path: tuple[str, ...], key: str, value: Any) -> None:
    added = put(text, path, SERVER)
    later = json.dumps({key: value, **json.loads(added.text)}, indent=3)
    assert json.loads(take(later, path, SERVER, added.known)) == {key: value, **json.loads(text)}


def test_a_container_that_somebody_else_uses_meanwhile_stays() -> None:
    added = put("{}", PATHS[0], SERVER)
    later = put(added.text, ("mcpServers", "other"), {}).text
    assert json.loads(take(later, PATHS[0], SERVER, added.known)) == {"mcpServers": {"other": {}}}


def test_it_is_written_as_the_rest_is() -> None:
    assert (
        put('{\n\t"a": 1\n}\n', ("b", "c"), [1]).text == '{\n\t"a": 1,\n\t"b": {\n\t\t"c": [\n\t\t\t1\n\t\t]\n\t}\n}\n'
    )
    assert put('{"a": 1}', ("b", "c"), [1]).text == '{"a": 1, "b": {"c": [1]}}'
    assert put("{}\n", ("b",), 1).text == '{\n  "b": 1\n}\n'


def test_another_value_at_the_place_is_left_alone() -> None:
    with pytest.raises(ValueError, match=r"mcpServers\.swarm is there already"):
        put('{"mcpServers": {"swarm": {"command": "other"}}}', PATHS[0], SERVER)


@pytest.mark.parametrize("text", ["", "{", "// no\n{}", '{"mcpServers": []}', "[]", '{"mcpServers": null}'])
def test_what_cannot_hold_it_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # json's own error, or ours
        put(text, PATHS[0], SERVER)


def test_what_was_changed_since_is_not_taken_out() -> None:
    with pytest.raises(ValueError, match="not what was put there"):
        take('{"mcpServers": {"swarm": {"command": "mine"}}}', PATHS[0], SERVER, 0)
