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
TESTS = ("test", "unit_test")
WRITTEN = ("success", "partial success")
OUTCOMES = {"pass": True, "success": True} | dict.fromkeys(
    ("warn", "fail", "error", "partial success"), False
)


def record_dbt(target: Path) -> str:
    """Record the last invocation of dbt.

    Args:
        target: The project's folder `target`.

    Returns:
        The run_id: dbt's own id of the invocation.

    Raises:
        OSError: dbt has left no results, such as where the project could not be parsed.
        ValueError: A file is not whole, or the manifest is of another invocation.
    """
    results, manifest = read(target / "run_results.json"), read(target / "manifest.json")
    said = results["metadata"]
    if manifest["metadata"]["invocation_id"] != said["invocation_id"]:
        raise ValueError(f"{target} has files of two invocations: record each before the next")
    cf.store.clear()
    nodes = {**manifest["sources"], **manifest["nodes"], **manifest.get("unit_tests", {})}
    for result in results["results"]:
        node = nodes.get(result["unique_id"])
        if node is None:  # such as a dashboard, which dbt only lists
            continue
        if node["resource_type"] in DATA:
            declare(node, nodes, is_written=result["status"] in WRITTEN)
        if result["status"] in OUTCOMES:
            check(node, nodes, result)
    return cf.record_run(
        f"dbt.{manifest['metadata']['project_name']}",
        run_id=said["invocation_id"],
        ts=said["generated_at"],
        if_run_exists="skip",
        tags={"dbt_version": said["dbt_version"], "command": results["args"]["which"]},
    )


def read(file: Path) -> Any:
    """Return what dbt has put into a file."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as exc:
        raise ValueError(f"{file} is not whole: dbt was stopped while it wrote it") from exc


def declare(node: Node, nodes: dict[str, Node], *, is_written: bool) -> None:
    """Declare what a model reads, and what it has written if it was built, even in part."""
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
        if is_written:
            cf.sink(table(node), format="table", columns=node["columns"], sources=reads)


def check(node: Node, nodes: dict[str, Node], result: Node) -> None:
    """Record the outcome of a test, or of the building of a model: one that fails fails the run."""
    is_test = node["resource_type"] in TESTS
    tested = node["depends_on"]["nodes"] if node["resource_type"] == "unit_test" else ()
    about = nodes.get(next(iter(tested), node.get("attached_node") or ""), node)
    is_hard = not is_test or node["config"].get("severity", "error").upper() == "ERROR"
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
    try:
        print(record_dbt(Path(sys.argv[1])))
    except (OSError, ValueError) as exc:
        sys.exit(f"nothing was recorded: {exc}")
    cf.flush()
