"""What our facets and events are published as."""

from __future__ import annotations

from importlib.resources import files

from conformare._version import own_version

REPOSITORY = "https://github.com/conformare-stream/conformare-stream"
FACETS_VERSION = "1-0-0"
"""Of the schemas of our facets: a change of one makes a new version, and the old files stay."""


def producer() -> str:
    """Return the URI of what makes the events."""
    return f"{REPOSITORY}/tree/v{own_version()}/producer/conformare/openlineage"


def schema_url(facet: str) -> str:
    """Return where the schema of one of our facets is published.

    Args:
        facet: Its name, such as ConformareRisksRunFacet.
    """
    folder = f"producer/conformare/openlineage/facets/{FACETS_VERSION}"
    return f"{REPOSITORY.replace('github.com', 'raw.githubusercontent.com')}/main/{folder}/{facet}.json#/$defs/{facet}"


def published_schema(facet: str) -> str:
    """Return the schema of one of our facets, as it is published."""
    place = files("conformare.openlineage") / "facets" / FACETS_VERSION / f"{facet}.json"
    return place.read_text(encoding="utf-8")
