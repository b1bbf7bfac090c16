"""Results of Great Expectations that the user has got himself, handed over to the record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from conformare._guard import guard
from conformare.capture._lineage import Expectation
from conformare.capture._store import store
from conformare.capture.checks._columns import is_wanting
from conformare.capture.checks._outcomes import (
    DEFAULT_SEVERITY,
    Subject,
    part_of,
    severities,
    severity_of,
    shown,
)

NO_ASSET = "(checkpoint)"
"""Label of what was checked where neither a frame nor a data asset is known."""

# Where the forms of a result, object, `to_json_dict` and `describe_dict`, keep those it is made of.
_PARTS = ("run_results", "validation_results", "results", "expectations")
# One of these is in every result of a single expectation.
_CONFIGURATIONS = ("expectation_config", "expectation_type")


def record_expectations(
    result: Any, *, frame: Any = None, hard_severities: str | Iterable[str] = ()
) -> int:
    """Record results of Great Expectations that you obtained yourself, not through `greatExpectations`.

    Only counts and aggregates are kept, never values of the data.

    Args:
        result: A CheckpointResult, an ExpectationSuiteValidationResult or an
            ExpectationValidationResult, the dict of one of them (`to_json_dict()`, or
            `describe_dict()`, which leaves out severities and most exceptions), or a list of those.
        frame: The frame that was checked. Without it the results belong to a node of their own
            that is named after the data asset.
        hard_severities: Severities whose failures fail the run.

    Returns:
        How many results were recorded.

    Raises:
        TypeError: The result is none of these; nothing has been recorded.
    """
    hard = severities(hard_severities)
    told = list(_told(result, NO_ASSET))
    nodes: dict[str | None, int] = {}
    recorded: list[Expectation] = []
    for asset, outcome in told:
        label = asset if frame is None else None
        if label not in nodes:
            nodes[label] = store.node_for(frame, label)
        asked = None if frame is None else partial(_is_wanting, frame, outcome)
        recorded.append(_subject(outcome, nodes[label]).reduced(outcome, hard, asked))
    store.add_expectations(recorded, "handed over")
    return len(recorded)


def _told(result: Any, asset: str) -> Iterator[tuple[str, Any]]:
    """Yield the results of single expectations, each with the name of its data asset."""
    asset = _asset_of(result) or asset
    if any(_has(result, name) for name in _CONFIGURATIONS):
        yield asset, result
        return
    parts = result if isinstance(result, (list, tuple)) else _parts_of(result)
    for part in parts:
        yield from _told(part, asset)


def _has(whole: Any, name: str) -> bool:
    return name in whole if isinstance(whole, Mapping) else hasattr(whole, name)


def _parts_of(result: Any) -> Iterable[Any]:
    for name in _PARTS:
        parts = part_of(result, name)
        if isinstance(parts, Mapping):
            return parts.values()
        if isinstance(parts, (list, tuple)):
            return parts
    raise TypeError(
        "the result must be a CheckpointResult, an ExpectationSuiteValidationResult or an "
        "ExpectationValidationResult of Great Expectations, the dict of one (to_json_dict(), "
        f"describe_dict()), or a list of those, not {type(result).__name__}"
    )


def _asset_of(result: Any) -> str | None:
    """Return the name of the data asset that a result tells of."""
    batch = part_of(part_of(result, "meta"), "active_batch_definition")
    name = part_of(batch, "data_asset_name")
    return shown(name) if isinstance(name, str) and name.strip() else None


def _configuration_of(outcome: Any) -> tuple[Any, Any, Any]:
    """Return the configuration of what was checked, the type and the arguments in it."""
    # What `describe_dict` returns has no configuration: what is of use in it lies beside the rest.
    configuration = part_of(outcome, "expectation_config") or outcome
    type_ = part_of(configuration, "type") or part_of(configuration, "expectation_type")
    return configuration, type_, part_of(configuration, "kwargs")


def _is_wanting(frame: Any, outcome: Any) -> bool:
    _, type_, arguments = _configuration_of(outcome)
    with guard:
        return is_wanting(frame, str(type_), arguments)
    return False


def _subject(outcome: Any, node: int) -> Subject:
    configuration, type_, arguments = _configuration_of(outcome)
    return Subject.named(
        node,
        type_,
        part_of(arguments, "column"),
        severity_of(configuration) or severity_of(arguments) or DEFAULT_SEVERITY,
    )
