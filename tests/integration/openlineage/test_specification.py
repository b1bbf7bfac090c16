"""Events against the schemas of the specification itself: `make test-openlineage` says where it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.openlineage.exported import events_of, full_emission, whole_emissions
from support.openlineage.specification import Schemas, our_schemas, specified_schemas

CHECKOUT = os.environ.get("OPENLINEAGE_CHECKOUT")


@pytest.mark.skipif(not CHECKOUT, reason="needs a checkout of OpenLineage: make test-openlineage")
@pytest.mark.parametrize("seed", range(10))
def test_events_and_all_their_facets_are_as_specified(seed: int) -> None:
    """Theirs and ours."""
    schemas = Schemas([*specified_schemas(Path(CHECKOUT or "")), *our_schemas()])
    for emission in [full_emission(), *whole_emissions(seed, 100)]:
        for event in events_of(emission):
            schemas.require(event, event["schemaURL"])
            assert schemas.require_facets(event) > 1
