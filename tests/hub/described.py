"""The OpenAPI document as a judge of real answers."""

import re
from copy import deepcopy
from typing import Any

import httpx
from openapi_schema_validator import OAS31Validator

Json = dict[str, Any]


class Description:
    """`check` holds an answer against what is described for its path, status and media type, to the last field."""

    def __init__(self, document: Json) -> None:
        self.paths: Json = document["paths"]
        self._components = _closed(document["components"])
        self._templates: dict[re.Pattern[str], str] = {
            re.compile(re.sub(r"{\w+}", "[^/]+", path)): path for path in self.paths
        }

    def check(self, answer: httpx.Response) -> None:
        request = answer.request
        operation = self.paths[self._template(request.url.path)][request.method.lower()]
        described = operation["responses"].get(str(answer.status_code)) or operation["responses"]["default"]
        media_type = answer.headers["content-type"].split(";")[0]
        schema = described["content"][media_type]["schema"]
        if media_type.endswith("json"):
            validator = OAS31Validator({**schema, "components": self._components})
            validator.validate(answer.json())

    def accepts(self, method: str, path: str, body: Any) -> bool:
        """Whether a body is one the document describes for a request."""
        content = self.paths[path][method]["requestBody"]["content"]["application/json"]
        return bool(OAS31Validator({**content["schema"], "components": self._components}).is_valid(body))

    def _template(self, path: str) -> str:
        """Whole words win over parameters, as in the hub."""
        found = [template for pattern, template in self._templates.items() if pattern.fullmatch(path)]
        return path if path in found else found[0]


def _closed(components: Json) -> Json:
    """The schemas without room for fields they do not name."""
    closed = deepcopy(components)
    for schema in closed["schemas"].values():
        if "properties" in schema and "additionalProperties" not in schema and "code" not in schema["properties"]:
            schema["additionalProperties"] = False
    return closed
