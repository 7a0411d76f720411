"""What a call may cost is known before it is made: never less than it will, whatever a hostile agent writes into it."""

import base64
import json
from typing import Any

import pytest

from swarm_hub.gateway.asked import Asked, read_asked
from swarm_hub.gateway.refusals import Refused

Json = dict[str, Any]
ADDED = 2_000  # tokens that the API may add to any prompt
PIXELS = base64.b64encode(bytes(90_000)).decode()


def call(content: Any = "Go", **fields: Any) -> bytes:
    messages = [{"role": "user", "content": content}]
    return json.dumps({"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": messages, **fields}).encode()


def image(data: str = PIXELS) -> Json:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def refusal(body: bytes) -> str:
    with pytest.raises(Refused) as refused:
        read_asked(body)
    assert refused.value.kind == "invalid_request_error"
    return str(refused.value)


@pytest.mark.parametrize("text", ["plain words", "\u0000\u0001", "漢字かな交じり文", "🧑‍🚀" * 50, "a" * 10_000])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_no_text_has_more_tokens_than_bytes_in_the_request(text: str, ascii_only: bool) -> None:
    body = json.dumps(json.loads(call(text)), ensure_ascii=ascii_only).encode()
    asked = read_asked(body)
    assert asked.input_tokens == len(body) + ADDED >= len(text.encode())
    assert asked.bounded


def test_an_image_counts_by_the_most_that_one_can_cost_and_not_by_its_bytes() -> None:
    body = call([image(), {"type": "tool_result", "tool_use_id": "t", "content": [image()]}])
    assert read_asked(body).input_tokens == len(body) - 2 * len(PIXELS) + 2 * 5_000 + ADDED


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "tool_use", "id": "t", "name": "Read", "input": {"content": [image()], "image": image()}}],
        [{"type": "text", "text": "…", "content": [image()]}],
        [{"type": "tool_use", "id": "t", "name": "Read", "input": image()}],
        [{"type": "text", "text": "…", "source": {"type": "text", "data": PIXELS}}],
    ],
)
def test_what_looks_like_an_image_where_the_model_reads_text_counts_as_text(content: Any) -> None:
    assert read_asked(call(content)).input_tokens > len(PIXELS)


def test_a_tool_that_looks_like_an_image_counts_as_text() -> None:
    tool = {"name": "t", "input_schema": {"default": image()}}
    assert read_asked(call(tools=[tool])).input_tokens > len(PIXELS)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
        {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}},
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "document", "source": {"type": "content", "content": [image()]}},
        {"type": "document", "source": {"type": "text", "data": "…"}, "citations": {"enabled": True}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {"type": "image", "source": {"type": "base64", "data": None}},
        {"type": "container_upload", "file_id": "file_1"},
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_documents_and_what_lies_elsewhere_have_no_bound(block: Json, nested: bool) -> None:
    content = {"type": "tool_result", "tool_use_id": "t", "content": [block]} if nested else block
    assert not read_asked(call([content])).bounded


def test_a_text_document_is_text() -> None:
    body = call([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}])
    assert read_asked(body) == Asked(
        "claude-sonnet-4-5", 100, len(body) + ADDED, guessed_tokens=-(-len(body) // 2), cache_writes="none"
    )


def test_a_reference_to_a_tool_counts_its_definition_again() -> None:
    tool = {"name": "long", "description": "d" * 5_000, "input_schema": {}}
    reference = {"type": "tool_reference", "tool_name": "long"}
    body = call([{"type": "tool_result", "tool_use_id": "t", "content": [reference] * 10}], tools=[tool])
    assert read_asked(body).input_tokens >= len(body) + 10 * 5_000


def test_a_reference_to_a_tool_that_is_added_later_counts_its_definition_again() -> None:
    definition = {"name": "long", "description": "d" * 5_000, "input_schema": {}}
    added = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": definition}}
    again = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "long"}}
    body = call([added, again, again])
    assert read_asked(body).input_tokens >= len(body) + 3 * 5_000


def test_a_reference_to_a_tool_that_is_nowhere_counts_as_much_as_there_is() -> None:
    body = call([{"type": "tool_result", "content": [{"type": "tool_reference", "tool_name": "hidden"}]}])
    assert read_asked(body).input_tokens == 2 * len(body) + ADDED


def test_a_servers_tool_that_is_added_later_counts_as_well() -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 4}
    added = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": search}}
    assert read_asked(call([added])).tool_uses == 4


@pytest.mark.parametrize(
    ("controls", "longest"),
    [
        ([], "none"),
        ([{"type": "ephemeral"}], "5m"),
        ([{"type": "ephemeral", "ttl": "5m"}], "5m"),
        ([{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}], "1h"),
        ([{"type": "ephemeral", "ttl": "1h"}, {"type": "ephemeral"}], "1h"),
        ([{"type": "ephemeral", "ttl": "2h"}], "1h"),
        (["ephemeral"], "1h"),
    ],
)
def test_how_long_caches_may_be_written_is_what_the_request_says(controls: list[Any], longest: str) -> None:
    blocks = [{"type": "text", "text": "Go", "cache_control": control} for control in controls]
    assert read_asked(call(blocks or "Go")).cache_writes == longest


def test_a_caches_control_is_found_however_it_is_written() -> None:
    body = call([{"type": "text", "text": "Go", "cache_control": {"ttl": "1h"}}])
    disguised = body.replace(b"cache_control", rb"cache\u005fcontrol").replace(b'"1h"', rb'"\u0031h"')
    assert read_asked(disguised).cache_writes == "1h"


@pytest.mark.parametrize(
    ("tool", "uses", "brought"),
    [
        ({"type": "web_search_20250305", "name": "web_search", "max_uses": 3}, 3, 3 * 25_000),
        ({"type": "web_fetch_20250910", "name": "web_fetch"}, 10, 10 * 25_000),
        ({"type": "code_execution_20250825", "name": "code_execution", "max_uses": -1}, 10, 10 * 25_000),
        ({"type": "something_new_20270101", "name": "new", "max_uses": True}, 10, 10 * 25_000),
        ({"type": "bash_20250124", "name": "bash"}, 0, 0),
        ({"type": "custom", "name": "mine", "input_schema": {}}, 0, -2_000),
    ],
)
def test_each_use_of_a_servers_tool_adds_what_it_may_bring(tool: Json, uses: int, brought: int) -> None:
    body = call(tools=[tool])
    asked = read_asked(body)
    assert asked.tool_uses == uses
    assert asked.input_tokens == (len(body) + ADDED + 2_000) * (1 + uses) + brought


@pytest.mark.parametrize("name", ["mcp_servers", "container", "fallbacks"])
def test_what_nobody_can_bound_is_refused_by_name(name: str) -> None:
    assert refusal(call(**{name: ["…"]})).startswith(f"{name}: ")


@pytest.mark.parametrize("kind", ["advisor_20260301", "mcp_toolset"])
def test_a_tool_without_a_bound_is_refused_by_name(kind: str) -> None:
    assert kind in refusal(call(tools=[{"type": kind, "name": "it"}]))


def test_compaction_is_refused_and_other_edits_of_the_context_are_not() -> None:
    assert read_asked(call(context_management={"edits": [{"type": "clear_tool_uses_20250919"}]})).bounded
    assert "compact_20260112" in refusal(call(context_management={"edits": [{"type": "compact_20260112"}]}))


@pytest.mark.parametrize(
    ("most", "said"),
    [
        (None, "max_tokens: Input should be a valid integer"),
        ("100", "max_tokens: Input should be a valid integer"),
        (True, "max_tokens: Input should be a valid integer"),
        (0, "max_tokens: Input should be greater than or equal to 1"),
        (-5, "max_tokens: Input should be greater than or equal to 1"),
        (10**12, "max_tokens: Input should be less than or equal to 10000000"),
    ],
)
def test_a_bad_limit_of_the_answer_is_refused_in_the_apis_words(most: Any, said: str) -> None:
    assert refusal(call(max_tokens=most)) == said


def test_a_call_without_a_limit_of_its_answer_is_refused() -> None:
    assert refusal(b'{"model": "claude-sonnet-4-5"}') == "max_tokens: Field required"


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "m", "max_tokens": 100, "max_tokens": 1}',
        b'{"model": "m", "max_tokens": 1, "messages": [{"role": "user", "role": "assistant"}]}',
        b'{"model": "m", "max_tokens": 1, "max\\u005ftokens": 2}',
    ],
)
def test_a_field_that_comes_twice_is_refused_as_others_may_read_the_other_value(body: bytes) -> None:
    assert refusal(body) == "the body gives a field twice"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"text"', b"\xff{}", "\ufeff{}".encode(), b"[" * 100_000, b'{"max_tokens": ' + b"9" * 5_000],
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    assert refusal(body) == "the body must be a JSON object"


@pytest.mark.parametrize("model", [b"5", b'""', rb'"\ud800"', rb'"a\u0000b"', b'"' + b"m" * 300 + b'"'])
def test_a_model_that_no_book_could_keep_is_refused(model: bytes) -> None:
    assert refusal(b'{"max_tokens": 1, "model": ' + model + b"}").startswith("model: ")


def test_content_nested_as_deep_as_can_be_parsed_is_looked_at() -> None:
    block: Any = {"type": "document", "source": {"type": "url", "url": "u"}}
    for _ in range(300):
        block = {"type": "tool_result", "content": [block]}
    assert not read_asked(call([block])).bounded


def test_a_count_takes_the_place_of_the_bound_where_it_is_lower() -> None:
    asked = read_asked(call("a" * 10_000))
    assert asked.counted(1_000).input_tokens == 1_000 + 20 + 100
    assert asked.counted(1_000).guessed_tokens == 1_000
    assert asked.counted(10**6).input_tokens == asked.input_tokens


def test_a_count_makes_a_bound_where_there_was_none() -> None:
    asked = read_asked(call([{"type": "document", "source": {"type": "url", "url": "u"}}])).counted(10**6)
    assert (asked.bounded, asked.input_tokens) == (True, 10**6 + 20_000 + 100)


def test_what_servers_tools_bring_is_on_top_of_a_count() -> None:
    tool = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    asked = read_asked(call("a" * 10_000, tools=[tool])).counted(1_000)
    assert asked.input_tokens == (1_120 + 2_000) * 3 + 2 * 25_000
