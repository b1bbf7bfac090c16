"""Events read back into the classes of openlineage-python, which know every field."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import attr
from openlineage.client import generated
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.serde import Serde

from conformare.openlineage import _facets

Event = dict[str, Any]


def _facet_classes() -> dict[str, type]:
    names = (found.name for found in pkgutil.iter_modules(generated.__path__))
    theirs = [importlib.import_module(f"{generated.__name__}.{name}") for name in names]
    return {
        one._get_schema(): one
        for module in (*theirs, _facets)
        for one in vars(module).values()
        if isinstance(one, type) and attr.has(one) and hasattr(one, "_get_schema")
    }


FACETS = _facet_classes()
"""By the URL of their schemas."""


def read_back(event: Event) -> RunEvent:
    """Return an event as the classes have it; a field that they do not know raises.

    Raises:
        TypeError: A field is unknown or missing.
        KeyError: The schema of a facet is.
        ValueError: A value is not what it must be.
    """
    fields = {**event}
    assert fields.pop("schemaURL") == RunEvent._get_schema()
    return RunEvent(
        **{
            **fields,
            "eventType": RunState(event["eventType"]),
            "run": Run(event["run"]["runId"], facets=_facets_of(event["run"]["facets"])),
            "job": Job(**{**event["job"], "facets": _facets_of(event["job"]["facets"])}),
            "inputs": [
                InputDataset(
                    **{
                        **one,
                        "facets": _facets_of(one["facets"]),
                        "inputFacets": _facets_of(one["inputFacets"]),
                    }
                )
                for one in event["inputs"]
            ],
            "outputs": [
                OutputDataset(**{**one, "facets": _facets_of(one["facets"])})
                for one in event["outputs"]
            ],
        }
    )


def require_known(event: Event) -> None:
    """Raise unless the classes write an event as it is."""
    assert Serde.to_dict(read_back(event)) == event


def _facets_of(facets: dict[str, Event]) -> dict[str, Any]:
    return {name: _facet(facet) for name, facet in facets.items()}


def _facet(facet: Event) -> Any:
    fields = {**facet}
    of_class = FACETS[fields.pop("_schemaURL")]
    return of_class(producer=fields.pop("_producer"), **fields)
