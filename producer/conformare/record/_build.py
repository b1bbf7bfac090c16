"""From what was captured to the record of a run: plain dicts, grain by grain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from conformare import _fork_guard as fork_guard
from conformare._version import own_version
from conformare.capture._lineage import Event, Expectation, Snapshot
from conformare.capture._scope import Group
from conformare.capture._store import Store
from conformare.capture.locations import redacted, shown_name, shown_tag
from conformare.capture.sensitivity._columns import scan_columns, sensitive_fields
from conformare.record._arguments import (
    utc_ts,
    validated_pipeline,
    validated_run_id,
    validated_tags,
)
from conformare.record._fingerprints import impl_fingerprint, risk_fingerprint
from conformare.record._register import RegisteredRisk, risk_register
from conformare.record._sink_risks import risks_of_sinks
from conformare_schemas import CONTRACT_VERSION, RUN_GRAINS

DEFAULT_TITLE = "conformare run"

STEP_KINDS = ("op", "function")
"""Kinds of events that make a frame out of others: neither reads nor writes."""

Fields = dict[str, Any]


def to_run_record(
    store: Store,
    pipeline: str,
    *,
    env: str | None = None,
    git_sha: str | None = None,
    tags: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
    report_uri: str | None = None,
    run_id: str | None = None,
    ts: datetime | str | None = None,
    title: str = DEFAULT_TITLE,
) -> dict[str, list[dict[str, Any]]]:
    """Return the record of a run: metadata only, the same for the same store and arguments.

    It writes nothing and runs no Spark job. Columns of frames that nobody has asked for yet are
    looked up in their schemas, once.

    Args:
        store: What was captured; usually `conformare.store`.
        pipeline: Identity of the pipeline across its runs.
        env: Environment it ran in, such as prod.
        git_sha: Commit of its code.
        tags: Free attributes of the run; their values become text.
        report_uri: Where its report can be read.
        run_id: Identity of the run; a new UUIDv7 when not given.
        ts: When it was recorded, UTC where it names no offset; now when not given.
        title: Title of the run.

    Returns:
        Grain → rows, every grain in the order of the contract; a row holds run_id, pipeline and
        ts and then the grain's columns, all of them values that JSON knows.

    Raises:
        ValueError: The pipeline is blank, or run_id, ts or tags are not what they must be.
    """
    # The rows' models take a quarter of a second to import: the record's, not the pipeline's.
    with fork_guard.whole:
        from conformare.record._models import Row, validated_columns

    pipeline, written_ts = validated_pipeline(pipeline), utc_ts(ts)
    attributes = {
        "title": str(title) if title else DEFAULT_TITLE,
        "env": _text(env),
        "git_sha": _text(git_sha),
        "tags": _tags(tags),
        "report_uri": None if report_uri is None else redacted(str(report_uri)),
    }
    key = vars(Row(run_id=validated_run_id(run_id), pipeline=pipeline, ts=written_ts))
    content = store.snapshot()
    rows = _rows(content)
    rows["runs"] = [{**attributes, **_summary(content, rows)}]
    return {
        grain: [{**key, **validated_columns(grain, columns)} for columns in rows[grain]]
        for grain in RUN_GRAINS
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _tags(tags: Any) -> dict[str, str]:
    return {
        name: "" if value is None else shown_tag(name, str(value))
        for name, value in validated_tags(tags).items()
    }


def _rows(content: Snapshot) -> dict[str, list[Fields]]:
    register = risk_register(content)
    return {
        "contexts": list(_contexts(content)),
        "risks": [_risk(content, entry) for entry in register],
        "sources": list(_sources(content)),
        "sinks": list(_sinks(content)),
        "expectations": list(_expectations(content)),
        "owners": list(_owners(content, register)),
        "sink_risks": list(_sink_risks(content)),
    }


def _label(content: Snapshot, number: int) -> str:
    return content.nodes[number - 1].label


def _columns(content: Snapshot, number: int) -> tuple[str, ...]:
    return content.nodes[number - 1].columns or ()


def _all_columns(content: Snapshot) -> Iterable[str]:
    """Return the names of all frames; a frame that nobody had to ask has those of its parents."""
    return chain.from_iterable(
        [
            (node.introduces.names if node.introduces else ())
            if node.columns is None
            else node.columns
            for node in content.nodes
        ]
    )


def _contexts(content: Snapshot) -> Iterator[Fields]:
    steps: dict[Group | None, list[Event]] = {}
    for event in content.events:
        if event.kind in STEP_KINDS:
            steps.setdefault(event.group, []).append(event)
    for group, risks in content.groups.items():
        impl_hash, n_steps = impl_fingerprint(steps.get(group, ()))
        yield {
            "context_label": group.label,
            "purpose": group.purpose,
            "definition_owner": group.definition_owner,
            "impl_hash": impl_hash,
            "risk_hash": risk_fingerprint(risks),
            "has_risks": bool(risks),
            "n_steps": n_steps,
            "risk_ids": sorted({risk.risk_id for risk in risks}),
        }


def _risk(content: Snapshot, entry: RegisteredRisk) -> Fields:
    return {
        "risk_id": entry.risk_id,
        "label": entry.label,
        "category": entry.category,
        "severity": entry.severity,
        "governance": entry.governance,
        "mitigated": bool(entry.mitigations),
        "owned": bool(entry.owners),
        "process": entry.process,
        "owners": entry.owners,
        "mitigations": entry.mitigations,
        # Hidden first, then sorted: a place among the others would tell of what is hidden.
        "nodes": sorted({shown_name(_label(content, number)) for number in entry.nodes}),
        "n_occurrences": entry.n_occurrences,
    }


def _sources(content: Snapshot) -> Iterator[Fields]:
    for source in content.sources:
        yield {
            "node": _label(content, source.node),
            "location": source.location,
            "format": source.format,
            "reader": source.reader,
            "columns": list(_columns(content, source.node)),
        }


def _sinks(content: Snapshot) -> Iterator[Fields]:
    for sink in content.sinks:
        columns = set(sink.columns or ())
        yield {
            "node": _label(content, sink.node),
            "location": sink.location,
            "format": sink.format,
            "writer": sink.writer,
            "columns": sorted({shown_name(name) for name in columns}),
            "n_sensitive": len(scan_columns(columns)) + len(sensitive_fields(sink.nested)),
        }


def _expectations(content: Snapshot) -> Iterator[Fields]:
    for result in content.expectations:
        yield {
            "node": _label(content, result.node),
            "expectation": result.expectation,
            "column": _checked_column(content, result),
            "success": result.success,
            "hard": result.hard,
            "severity": result.severity,
            "observed": result.observed,
            "error": result.error,
            "missing_column": result.missing_column,
        }


def _checked_column(content: Snapshot, result: Expectation) -> str | None:
    if result.column is None:
        return None
    return content.nodes[result.node - 1].hidden.shown(result.column)


def _owners(content: Snapshot, register: list[RegisteredRisk]) -> Iterator[Fields]:
    roles: dict[tuple[str, str, str], str] = {}
    for entry in register:
        for risk in entry.declared:
            if risk.owner is None:
                continue
            responsibility = (risk.owner, "risk", entry.risk_id)
            if risk.mitigation:
                roles[responsibility] = "risk_mitigation"
            roles.setdefault(responsibility, "risk_owner")
    for group in content.groups:
        if group.definition_owner is not None:
            roles[group.definition_owner, "context", group.label] = "context_owner"
    for (owner, scope, ref), role in roles.items():
        yield {"owner": owner, "scope": scope, "ref": ref, "role": role}


def _sink_risks(content: Snapshot) -> Iterator[Fields]:
    for reaching in risks_of_sinks(content):
        yield {
            "sink_node": _label(content, reaching.sink.node),
            "sink_location": reaching.sink.location,
            "risk_id": reaching.risk_id,
            "label": reaching.label,
            "severity": reaching.severity,
            "owners": reaching.owners,
            "mitigated": reaching.mitigated,
            "kind": reaching.kind,
            "distance": reaching.distance,
            "context_label": reaching.context_label,
        }


def _summary(content: Snapshot, rows: dict[str, list[Fields]]) -> Fields:
    """Count what the other grains and the nodes say, and derive the status from it."""
    risks, checks = rows["risks"], rows["expectations"]
    columns = dict.fromkeys(_all_columns(content))
    sensitive = scan_columns(columns)
    fields = sensitive_fields(dict.fromkeys(f for node in content.nodes for f in node.nested))
    written = {name for sink in content.sinks for name in sink.columns or ()}
    written_fields = {field for sink in content.sinks for field in sink.nested}
    counts = {
        "n_nodes": len(content.nodes),
        "n_operations": sum(event.kind in STEP_KINDS for event in content.events),
        "n_columns": len(columns),
        "n_sources": len(content.sources),
        "n_sinks": len(content.sinks),
        "n_contexts": len(content.groups),
        "risks_total": len(risks),
        "risks_mitigated": sum(risk["mitigated"] for risk in risks),
        "risks_unmitigated": sum(not risk["mitigated"] for risk in risks),
        "risks_owned": sum(risk["owned"] for risk in risks),
        "ge_evaluated": len(checks),
        "ge_failed": sum(check["success"] is False for check in checks),
        "ge_failed_hard": sum(check["success"] is False and check["hard"] for check in checks),
        "ge_errored": sum(check["success"] is None for check in checks),
        "sensitive_columns": len(sensitive) + len(fields),
        "sensitive_written": sum(name in written for name in sensitive)
        + sum(field in written_fields for field in fields),
    }
    return {
        "schema_version": CONTRACT_VERSION,
        "conformare_version": own_version(),
        "status": run_status(counts),
        "backends": sorted({event.backend for event in content.events}),
        **counts,
    }


def run_status(counts: Mapping[str, int]) -> str:
    """Return the status that the counts of a run amount to.

    Args:
        counts: Column of `runs` → count.

    Returns:
        failed if a hard expectation failed; degraded if a risk is open, an expectation failed or
        one could not be evaluated; healthy otherwise.
    """
    if counts["ge_failed_hard"]:
        return "failed"
    if counts["risks_unmitigated"] or counts["ge_failed"] or counts["ge_errored"]:
        return "degraded"
    return "healthy"
