"""Schemas that events are checked against: our own, and the specification's where it is at hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from conformare.openlineage import published_schema

OURS = (
    "ConformareContextsRunFacet",
    "ConformareRecordRunFacet",
    "ConformareRisksDatasetFacet",
    "ConformareRisksRunFacet",
)
BASE = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
STAND_IN = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": BASE,
    "$defs": {
        name: {"type": "object", "required": ["_producer", "_schemaURL"]}
        for name in ("RunFacet", "DatasetFacet")
    },
}
"""As much of the specification as ours refer to, where it is not at hand."""

Document = dict[str, Any]


def our_schemas() -> list[Document]:
    """Return the schemas of our facets, as they are published."""
    return [json.loads(published_schema(name)) for name in OURS]


def specified_schemas(checkout: Path) -> list[Document]:
    """Return the schemas of a checkout of OpenLineage."""
    files = [checkout / "spec/OpenLineage.json", *(checkout / "spec/facets").glob("*.json")]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


class Schemas:
    """Schemas by their addresses.

    Args:
        documents: The schemas.
    """

    def __init__(self, documents: Iterable[Document]) -> None:
        resources = [Resource.from_contents(one) for one in documents]
        self._registry = resources @ Registry()

    def require(self, value: object, address: str) -> None:
        """Raise unless a value is of a schema.

        Args:
            value: The value.
            address: The address of the schema, with what follows `#`.
        """
        Draft202012Validator(
            {"$ref": address}, registry=self._registry, format_checker=FormatChecker()
        ).validate(value)

    def require_facets(self, event: Document, *, known: Iterable[str] = ("",)) -> int:
        """Raise unless the facets of an event are of the schemas that they name.

        Args:
            event: The event.
            known: What the addresses of those begin with that are looked at.

        Returns:
            How many were.
        """
        holders = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
        found = [
            facet
            for holder in holders
            for kind in ("facets", "inputFacets", "outputFacets")
            for facet in holder.get(kind, {}).values()
            if facet["_schemaURL"].startswith(tuple(known))
        ]
        for facet in found:
            self.require(facet, facet["_schemaURL"])
        return len(found)
