"""Record a dbt invocation as a run: `dbt build; python record_dbt.py target`.

Call it after dbt has ended, whether it has succeeded or not. dbt writes `run_results.json` last, so
a hook in `on-run-end` would find none, or that of the invocation before.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import conformare as cf

Node = dict[str, Any]

DATA = ("model", "seed", "snapshot")
BUILT = "success"
OUTCOMES = {"pass": True, "warn": False, "fail": False, "success": True, "error": False}


def record_dbt(target: Path) -> str:
    """Record the last invocation of dbt.

    Args:
        target: The project's folder `target`.

    Returns:
        The run_id: dbt's own id of the invocation.

    Raises:
        ValueError: The manifest is of another invocation.
    """
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    said = results["metadata"]
    if manifest["metadata"]["invocation_id"] != said["invocation_id"]:
        raise ValueError(f"{target} has files of two invocations: record each before the next")
    cf.store.clear()
    nodes = {**manifest["sources"], **manifest["nodes"]}
    for result in results["results"]:
        node = nodes[result["unique_id"]]
        if node["resource_type"] in DATA:
            declare(node, nodes, is_built=result["status"] == BUILT)
        if result["status"] in OUTCOMES:
            check(node, nodes, result)
    return cf.record_run(
        f"dbt.{manifest['metadata']['project_name']}",
        run_id=said["invocation_id"],
        ts=said["generated_at"],
        if_run_exists="skip",
        tags={"dbt_version": said["dbt_version"], "command": results["args"]["which"]},
    )


def declare(node: Node, nodes: dict[str, Node], *, is_built: bool) -> None:
    """Declare what a model reads, and what it has written if it was built."""
    meta = node["config"].get("meta") or {}
    with ExitStack() as blocks:
        blocks.enter_context(
            cf.describe(
                node["name"],
                purpose=node["description"] or None,
                definition_owner=meta.get("owner"),
                risks=meta.get("conformare_risks"),
            )
        )
        reads = [
            cf.source(table(nodes[name]), format="table", columns=nodes[name]["columns"])
            for name in node.get("depends_on", {}).get("nodes", ())
            if name in nodes
        ]
        if is_built:
            cf.sink(table(node), format="table", columns=node["columns"], sources=reads)


def check(node: Node, nodes: dict[str, Node], result: Node) -> None:
    """Record the outcome of a test, or of the building of a model: one that fails fails the run."""
    is_test = node["resource_type"] == "test"
    about = nodes.get(node.get("attached_node") or "", node)
    is_hard = not is_test or node["config"]["severity"].upper() == "ERROR"
    named = (node.get("test_metadata") or {}).get("name", node["name"]) if is_test else "builds"
    cf.record_expectations(
        {
            "meta": {"active_batch_definition": {"data_asset_name": about["name"]}},
            "results": [
                {
                    "success": OUTCOMES[result["status"]],
                    "expectation_config": {
                        "type": named,
                        "kwargs": {"column": node.get("column_name")},
                        "severity": "critical" if is_hard else "warning",
                    },
                    "result": {"unexpected_count": result["failures"]},
                }
            ],
        },
        hard_severities="critical",
    )


def table(node: Node) -> str:
    """Return the name of a table as records have it."""
    parts = (node["database"], node["schema"], node.get("alias") or node["name"])
    return ".".join(f"`{part}`" for part in parts if part)


if __name__ == "__main__":
    cf.configure_store()  # CONFORMARE_WRITER and the others say where to
    print(record_dbt(Path(sys.argv[1])))
    cf.flush()
