"""`/docs`: the OpenAPI document as a page that loads nothing from anywhere."""

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin: 2.2rem 0 .3rem; font: 600 1rem ui-monospace, monospace; border-top: 1px solid #8884; padding-top: 1rem }
h2 b { display: inline-block; min-width: 4.5rem } table { border-collapse: collapse; margin: .4rem 0 }
td { padding: .1rem 1rem .1rem 0; vertical-align: top } td:first-child, code { font-family: ui-monospace, monospace }
small, .type { opacity: .7 } details { margin: .3rem 0 }
"""


def page(document: Mapping[str, Any]) -> str:
    body = "".join(_paths(document)) + "".join(_schemas(document))
    title = f"{document['info']['title']} {document['info']['version']}"
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{STYLE}</style>"
        f"<h1>{escape(title)}</h1><p>{escape(document['info']['summary'])} "
        f"The same as a document: <a href=openapi.json>openapi.json</a>.</p><p>A call carries <code>Authorization: "
        f"Bearer</code> and a token or an API key; the word in brackets is the scope it takes.</p>{body}</html>"
    )


def _paths(document: Mapping[str, Any]) -> Iterator[str]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield f"<h2><b>{method.upper()}</b> {escape(path)}</h2><div>{escape(operation['summary'])}"
            yield f" <small>({escape(operation['x-permission'])})</small></div>"
            yield _table((p["name"], p["schema"], p["in"]) for p in operation["parameters"])
            yield _body(operation)
            yield _answers(operation)


def _body(operation: Mapping[str, Any]) -> str:
    if "requestBody" not in operation:
        return ""
    return f"<div>takes {_type(operation['requestBody']['content']['application/json']['schema'])}</div>"


def _answers(operation: Mapping[str, Any]) -> str:
    rows = []
    for status, answer in operation["responses"].items():
        kinds = ", ".join(
            f"{_type(of['schema'])} <small>{escape(kind)}</small>" for kind, of in answer["content"].items()
        )
        rows.append(f"<tr><td>{escape(status)}<td>{kinds}")
    return f"<table>{''.join(rows)}</table>"


def _schemas(document: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f"<h2 id={escape(name)}>{escape(name)}</h2><div>{_text(schema.get('description', ''))}</div>"
        required = set(schema.get("required", ()))
        properties = schema.get("properties", {})
        yield _table((key, value, "required" if key in required else "") for key, value in properties.items())


def _table(rows: Iterator[tuple[str, Mapping[str, Any], str]]) -> str:
    cells = [
        f"<tr><td>{escape(name)}<td class=type>{_type(schema)}<td>{escape(note)}"
        f"<td>{_text(schema.get('description', ''))}"
        for name, schema, note in rows
    ]
    return f"<table>{''.join(cells)}</table>" if cells else ""


def _text(description: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(description))


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[1])
        return f"<a href=#{name}>{name}</a>"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(_type(arm) for arm in schema[key])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(word))}</code>" for word in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("type", "any")))
