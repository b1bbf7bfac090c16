"""The graph of what was captured: nodes and edges, as plain values."""

from __future__ import annotations

from typing import Any

from conformare.capture._look_ups import columns_of
from conformare.capture._store import Store, store
from conformare.capture.locations import shown_name, without_credentials
from conformare.capture.sensitivity._columns import scan_columns, sensitive_fields


def build_model(captured: Store = store) -> dict[str, list[dict[str, Any]]]:
    """Return the graph of the captured frames: metadata only, in JSON-compatible values.

    It asks Spark for schemas that are not known yet, but runs no job.

    Args:
        captured: What was captured.

    Returns:
        `nodes`: id, label, kind (source, sink or frame), columns, and which of them, and of the
        fields inside them, are sensitive.
        `edges`: from, to, op, the contexts around it, outermost first, and the risks on it.
    """
    captured.resolve_all()
    content = captured.snapshot()
    kinds = {source.node: "source" for source in content.sources}
    kinds.update((sink.node, "sink") for sink in content.sinks)
    nodes = []
    for node in content.nodes:
        columns = columns_of(content.nodes, node)
        names = list(dict.fromkeys(map(shown_name, columns.names)))
        fields = [shown_name(field.path) for field in sensitive_fields(columns.nested)]
        nodes.append(
            {
                "id": node.number,
                "label": shown_name(node.label),
                "kind": kinds.get(node.number, "frame"),
                "columns": names,
                "sensitive": [*scan_columns(names), *fields],
            }
        )
    edges = [
        {
            "from": parent,
            "to": event.child,
            "op": event.op,
            "contexts": [without_credentials(group.label) for group in event.groups],
            "risks": sorted({risk.risk_id for risk in event.risks}),
        }
        for event in content.events
        for parent in dict.fromkeys(event.parents)
    ]
    return {"nodes": nodes, "edges": edges}
