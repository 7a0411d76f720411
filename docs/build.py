"""`make docs`: the HTTP reference, as a document and as a page, from the same table that serves."""

import json
from pathlib import Path

from swarm_hub.openapi import describe
from swarm_hub.reference import page
from swarm_hub.routes.table import ROUTES

SITE = Path(__file__).parents[1] / "site"


def main() -> None:
    document = describe(ROUTES)
    SITE.mkdir(exist_ok=True)
    (SITE / "openapi.json").write_text(json.dumps(document, indent=2) + "\n")
    (SITE / "index.html").write_text(page(document))
    print(f"{SITE.name}/index.html and openapi.json: {len(document['paths'])} paths")  # noqa: T201  # a program


if __name__ == "__main__":
    main()
