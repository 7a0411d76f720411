"""A cloud's published API document, by which requests and a fake's own answers are judged."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SPECS = Path(__file__).parent / "specs"


class Published:
    """An OpenAPI 3 or Swagger 2 document. `base` is what stands before its paths."""

    def __init__(self, name: str, base: str = "", undocumented: Iterable[str] = ()) -> None:
        """`undocumented`: parameters that the document forgot, by `name` or `name.{}`."""
        self._undocumented = set(undocumented)
        self._document = json.loads((SPECS / name).read_text())
        self._paths = {_pattern(base + path): item for path, item in self._document["paths"].items()}

    def faults(self, method: str, path: str, query: Iterable[str], body: Any) -> list[str]:
        """What is wrong with a request: nothing, when the document has it so. `body` is None where there is none."""
        operation = self._operation(method, path)
        if operation is None:
            return [f"the document has no {method} {path}"]
        declared = [self._resolved(each) for each in operation.get("parameters", [])]
        names = {each["name"] for each in declared if each["in"] == "query"} | self._undocumented
        unknown = [f"{name} is no parameter of it" for name in query if not _declares(names, name)]
        missing = [f"{each['name']} is missing" for each in declared
                   if each["in"] == "query" and each.get("required") and each["name"] not in set(query)]  # fmt: skip
        return unknown + missing + self._body_faults(operation, declared, body)

    def answer_faults(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """What is wrong with an answer of a fake. A status that the document does not list may have any body."""
        operation = self._operation(method, path) or {}
        answer = self._resolved(operation.get("responses", {}).get(str(status), {}))
        return self._faults(_schema(answer), body, strict=False)

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        # `/jobs/stop` is also a `/jobs/{name}`: what has the fewest parameters is meant.
        matches = [(pattern, item) for pattern, item in self._paths.items() if pattern.fullmatch(path)]
        found = min(matches, key=lambda match: match[0].groups, default=None)
        if found is None or method.lower() not in found[1]:
            return None
        operation: dict[str, Any] = found[1][method.lower()]
        shared = found[1].get("parameters", [])
        return {**operation, "parameters": [*shared, *operation.get("parameters", [])]}

    def _body_faults(self, operation: Mapping[str, Any], declared: list[dict[str, Any]], body: Any) -> list[str]:
        wanted = self._resolved(operation["requestBody"]) if "requestBody" in operation else None
        wanted = wanted or next((each for each in declared if each["in"] == "body"), None)
        if wanted is None:
            return [] if body is None else ["it takes no body"]
        if body is None:
            return ["its body is missing"] if wanted.get("required") else []
        return self._faults(_schema(wanted), body, strict=True)

    def _faults(self, schema: Any, body: Any, *, strict: bool) -> list[str]:
        if schema is None:
            return []
        return [f"{error.json_path}: {error.message}" for error in self._validator(json.dumps(schema), strict)
                .iter_errors(body)]  # fmt: skip

    @cache  # noqa: B019 - as long as its document, of which there are three
    def _validator(self, schema: str, strict: bool) -> Draft202012Validator:
        whole = {**json.loads(schema), **{k: self._document[k] for k in ("components", "definitions")
                                          if k in self._document}}  # fmt: skip
        return Draft202012Validator(_closed(whole) if strict else whole)

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        found: Any = self._document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return dict(found)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{[^/]*\\}", "([^/]+)", re.escape(path)))


def _declares(names: set[str], name: str) -> bool:
    """`metadata.{key}` declares `metadata.hub`, too."""
    return name in names or any("{" in each and name.startswith(each.split("{")[0]) for each in names)


def _schema(node: Mapping[str, Any]) -> Any:
    """Of a request's body or an answer, as either kind of document has it."""
    if "schema" in node:
        return node["schema"]
    return next((content.get("schema") for content in node.get("content", {}).values()), None)


def _closed(node: Any) -> Any:
    """The same schema without room for properties that it does not name."""
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    if "properties" in node and "allOf" not in node:
        closed.setdefault("additionalProperties", False)
    return closed
