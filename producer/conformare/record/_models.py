"""The rows of every grain as models, held to the `.avsc` files field by field by a test."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from conformare.capture._locations import without_addresses, without_credentials

Severity = Literal["low", "medium", "high", "critical"]


def _encodable(value: Any) -> Any:
    """Return text that UTF-8 can carry: a file name may hold what it cannot."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


def _distinct(names: list[str]) -> list[str]:
    """Return names once each: those that were hidden are the same."""
    return list(dict.fromkeys(names))


Key = Annotated[str, BeforeValidator(_encodable)]
Text = Annotated[Key, AfterValidator(without_credentials)]
Named = Annotated[Text, AfterValidator(without_addresses)]
"""A text that the pipeline's code or data has named, not its author's own words."""
Columns = Annotated[list[Named], AfterValidator(_distinct)]


class Row(BaseModel):
    """What every row of every grain begins with."""

    # Values never appear in an error: it may end in a log.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

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
    location: Named
    format: Named
    reader: Text
    columns: Columns


class SinksRow(Row):
    """One write."""

    node: Named
    location: Named
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
    sink_location: Named
    risk_id: Text
    label: Text
    severity: Severity
    owners: list[Text]
    mitigated: bool
    kind: Literal["direct", "indirect", "process"]
    distance: int | None
    context_label: Text | None


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
"""The model of each grain's rows."""
