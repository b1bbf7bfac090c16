"""The rows of every grain as models, held to the `.avsc` files field by field by a test."""

from __future__ import annotations

from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic_core import CoreConfig, SchemaValidator
from pydantic_core.core_schema import typed_dict_field, typed_dict_schema

from conformare.record._texts import Columns, Key, Location, Named, Text

Severity = Literal["low", "medium", "high", "critical"]


class _Model(BaseModel):
    # Values never appear in an error: it may end in a log.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Row(_Model):
    """What every row of every grain of a run begins with."""

    run_id: Key
    pipeline: Key
    ts: Key


class RunsRow(Row):
    """One run of a pipeline."""

    schema_version: int
    conformare_version: Text
    title: Text
    status: Literal["failed", "degraded", "healthy"]
    env: Text | None
    git_sha: Text | None
    tags: dict[Text, Text]
    report_uri: Text | None
    backends: list[Text]
    n_nodes: int
    n_operations: int
    n_columns: int
    n_sources: int
    n_sinks: int
    n_contexts: int
    risks_total: int
    risks_mitigated: int
    risks_unmitigated: int
    risks_owned: int
    ge_evaluated: int
    ge_failed: int
    ge_failed_hard: int
    ge_errored: int
    sensitive_columns: int
    sensitive_written: int


class ContextsRow(Row):
    """One instance of `describe()`."""

    context_label: Text
    purpose: Text
    definition_owner: Text | None
    impl_hash: Text
    risk_hash: Text
    has_risks: bool
    n_steps: int
    risk_ids: list[Text]


class RisksRow(Row):
    """One risk of the run."""

    risk_id: Text
    label: Text
    category: Text
    severity: Severity
    governance: Literal["low", "medium", "high"]
    mitigated: bool
    owned: bool
    process: bool
    owners: list[Text]
    mitigations: list[Text]
    nodes: list[Named]
    n_occurrences: int


class SourcesRow(Row):
    """One read."""

    node: Named
    location: Location
    format: Named
    reader: Text
    columns: Columns


class SinksRow(Row):
    """One write."""

    node: Named
    location: Location
    format: Named
    writer: Text
    columns: Columns
    n_sensitive: int


class ExpectationsRow(Row):
    """One result of a Great Expectations check."""

    node: Named
    expectation: Named
    column: Named | None
    success: bool | None
    hard: bool
    severity: Text
    observed: Named | None
    error: Named | None
    missing_column: bool


class OwnersRow(Row):
    """One responsibility of one owner."""

    owner: Text
    scope: Literal["risk", "context"]
    ref: Text
    role: Literal["risk_mitigation", "risk_owner", "context_owner"]


class SinkRisksRow(Row):
    """One risk that reaches one sink."""

    sink_node: Named
    sink_location: Location
    risk_id: Text
    label: Text
    severity: Severity
    owners: list[Text]
    mitigated: bool
    kind: Literal["direct", "indirect", "process"]
    distance: int | None
    context_label: Text | None


class SourceRisksRow(_Model):
    """One risk that was declared of a location."""

    location: Location
    ts: Key
    column: Named | None
    risk_id: Text
    label: Text
    category: Text
    severity: Severity
    owner: Text | None
    mitigation: Text | None
    note: Text | None
    context: Text | None
    author: Text | None
    kind: Literal["static"]


ROW_MODELS: dict[str, type[Row]] = {
    "runs": RunsRow,
    "contexts": ContextsRow,
    "risks": RisksRow,
    "sources": SourcesRow,
    "sinks": SinksRow,
    "expectations": ExpectationsRow,
    "owners": OwnersRow,
    "sink_risks": SinkRisksRow,
}
"""The model of the rows of each grain of a run."""


def _validator_of_columns(model: type[Row]) -> SchemaValidator:
    hints = get_type_hints(model, include_extras=True)
    columns = {
        name: typed_dict_field(TypeAdapter(hints[name]).core_schema)
        for name in model.model_fields
        if name not in Row.model_fields
    }
    settings = model.model_config
    return SchemaValidator(
        typed_dict_schema(columns, extra_behavior=settings["extra"]),
        CoreConfig(title=model.__name__, hide_input_in_errors=settings["hide_input_in_errors"]),
    )


# A record needs the values of a row and no object around them: what pydantic makes is the row.
_VALIDATORS = {grain: _validator_of_columns(model) for grain, model in ROW_MODELS.items()}


def validated_columns(grain: str, columns: dict[str, Any]) -> dict[str, Any]:
    """Return a grain's own columns of a row as its model holds them, in the order of the contract.

    Args:
        grain: The grain.
        columns: Column → value, in any order.

    Raises:
        ValidationError: They do not fit the model; no value appears in the error.
    """
    validated: dict[str, Any] = _VALIDATORS[grain].validate_python(columns)
    return validated
