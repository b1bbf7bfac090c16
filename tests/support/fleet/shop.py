"""A fleet of a shop as its records would have it: small, and with something of everything."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from conformare_schemas import RUN_GRAINS

NOW = datetime(2026, 11, 29, 7, 30, tzinfo=timezone.utc)
RUNS = 30

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Kind:
    """A pipeline of the shop.

    Attributes:
        reads: Locations.
        writes: Location → columns.
        owner: Of its contexts; None for nobody.
        every: Time between two runs.
        last: How long ago the newest one was.
        fails: Run numbers, 0 the oldest, in which a hard expectation fails.
        degrades: Those in which a soft one fails.
        drifts: Those in which the code of the first context changes and its risks do not.
        risks: Risk → severity, mitigated by those in `mitigated`.
    """

    name: str
    reads: tuple[str, ...]
    writes: dict[str, tuple[str, ...]]
    owner: str | None
    env: str | None = "prod"
    every: timedelta = timedelta(hours=24)
    last: timedelta = timedelta(hours=3)
    fails: frozenset[int] = frozenset()
    degrades: frozenset[int] = frozenset()
    drifts: frozenset[int] = frozenset()
    risks: dict[str, str] = field(default_factory=dict)
    mitigated: frozenset[str] = frozenset()
    unowned: frozenset[str] = frozenset()
    evaluated: bool = True
    tags: dict[str, str] = field(default_factory=dict)
    runs: int = RUNS


RAW, CLEAN, MART = "s3://shop-raw", "s3://shop-clean", "s3://shop-mart"
ORDERS = ("order_id", "customer_id", "email", "total", "ordered_at")
CUSTOMERS = ("customer_id", "email", "phone", "date_of_birth", "country")

KINDS = (
    Kind(
        "orders.ingest",
        ("jdbc:postgresql://shop-db/orders",),
        {f"{RAW}/orders": ORDERS},
        "orders-team",
        every=timedelta(hours=1),
        last=timedelta(minutes=34),
        degrades=frozenset({4}),
        risks={"completeness.missing_rows": "high"},
        mitigated=frozenset({"completeness.missing_rows"}),
        tags={"tier": "1", "domain": "orders"},
    ),
    Kind(
        "orders.clean",
        (f"{RAW}/orders",),
        {f"{CLEAN}/orders": ORDERS},
        "orders-team",
        every=timedelta(hours=1),
        last=timedelta(minutes=21),
        drifts=frozenset({27}),
        risks={"accuracy.currency_conversion": "high", "fairness.country_bias": "medium"},
        mitigated=frozenset({"accuracy.currency_conversion", "fairness.country_bias"}),
        tags={"tier": "1", "domain": "orders"},
    ),
    Kind(
        "customers.deduplicate",
        (f"{RAW}/customers", "s3a://shop-raw/newsletter/"),
        {f"{CLEAN}/customers": CUSTOMERS},
        "customer-data",
        fails=frozenset({28, 29}),
        degrades=frozenset({12, 13, 27}),
        risks={"privacy.reidentification": "critical", "accuracy.false_merge": "high"},
        mitigated=frozenset({"accuracy.false_merge"}),
        unowned=frozenset({"privacy.reidentification"}),
        tags={"tier": "1", "domain": "customers", "gdpr": "yes"},
    ),
    Kind(
        "customers.ingest",
        ("jdbc:postgresql://crm-db/customers",),
        {f"{RAW}/customers": CUSTOMERS},
        "customer-data",
        risks={"privacy.raw_identifiers": "high"},
        mitigated=frozenset({"privacy.raw_identifiers"}),
        tags={"domain": "customers", "gdpr": "yes"},
    ),
    Kind(
        "marketing.audience",
        (f"{CLEAN}/customers", f"{CLEAN}/orders"),
        {f"{MART}/audience": ("customer_id", "email", "segment", "score")},
        "growth",
        degrades=frozenset({25, 26, 27, 28, 29}),
        drifts=frozenset({19}),
        risks={"fairness.age_bias": "high", "privacy.purpose_limitation": "high"},
        tags={"domain": "marketing", "gdpr": "yes"},
    ),
    Kind(
        "finance.daily_revenue",
        (f"{CLEAN}/orders",),
        {f"{MART}/revenue": ("day", "country", "revenue")},
        "finance-data",
        risks={"accuracy.currency_conversion": "high"},
        mitigated=frozenset({"accuracy.currency_conversion"}),
        tags={"tier": "1", "domain": "finance"},
    ),
    Kind(
        "finance.month_close",
        (f"{MART}/revenue",),
        {f"{MART}/close": ("month", "revenue", "refunds")},
        "finance-data",
        every=timedelta(days=1),
        last=timedelta(days=5),
        tags={"domain": "finance"},
    ),
    Kind(
        "ml.churn_features",
        (f"{CLEAN}/customers", f"{CLEAN}/orders"),
        {f"{MART}/churn_features": ("customer_id", "age", "n_orders", "last_order")},
        "ml-platform",
        fails=frozenset({3, 9}),
        degrades=frozenset({20, 22, 24, 26, 28}),
        risks={"fairness.age_bias": "high"},
        mitigated=frozenset({"fairness.age_bias"}),
        tags={"domain": "ml"},
    ),
    Kind(
        "ml.churn_scores",
        (f"{MART}/churn_features",),
        {f"{MART}/churn_scores": ("customer_id", "score")},
        "ml-platform",
        risks={"fairness.unequal_error": "critical"},
        mitigated=frozenset({"fairness.unequal_error"}),
        tags={"domain": "ml"},
    ),
    Kind(
        "support.tickets",
        ("kafka://broker/tickets",),
        {f"{RAW}/tickets": ("ticket_id", "email", "text")},
        None,
        evaluated=False,
        tags={"domain": "support"},
    ),
    Kind(
        "warehouse.stock",
        ("jdbc:sqlserver://wms/stock",),
        {f"{CLEAN}/stock": ("sku", "warehouse", "quantity")},
        "logistics",
        every=timedelta(hours=6),
        last=timedelta(hours=4),
        tags={"domain": "logistics"},
    ),
    Kind(
        "warehouse.reorder",
        (f"{CLEAN}/stock", f"{CLEAN}/orders"),
        {f"{MART}/reorder": ("sku", "quantity")},
        "logistics",
        every=timedelta(hours=6),
        last=timedelta(hours=3),
        degrades=frozenset({15}),
        risks={"accuracy.seasonality": "medium"},
        tags={"domain": "logistics"},
    ),
    Kind(
        "orders.clean",
        (f"{RAW}/orders",),
        {"s3://shop-staging/orders": ORDERS},
        "orders-team",
        env="staging",
        runs=12,
        fails=frozenset({6}),
        tags={"domain": "orders"},
    ),
    Kind(
        "returns.classify",
        (f"{RAW}/tickets",),
        {f"{CLEAN}/returns": ("return_id", "reason")},
        "customer-data",
        env="staging",
        runs=2,
        evaluated=False,
        tags={"domain": "support"},
    ),
)


def small_fleet(kinds: tuple[Kind, ...] = KINDS, now: datetime = NOW) -> Rows:
    """Return the rows of the shop's fleet by grain."""
    tables: Rows = {grain: [] for grain in RUN_GRAINS}
    for number, kind in enumerate(kinds):
        random = Random(number)  # noqa: S311 - the same fleet each time
        for run in range(kind.runs):
            back = kind.last + kind.every * (kind.runs - 1 - run)
            jitter = timedelta(seconds=random.randrange(240)) if back > kind.last else timedelta()
            for grain, rows in run_rows(kind, run, now - back + jitter).items():
                tables[grain] += rows
    return tables


def run_rows(kind: Kind, run: int, ts: datetime) -> Rows:
    """Return the rows of one run of a pipeline by grain."""
    head = {
        "run_id": f"{kind.name.replace('.', '-')}-{kind.env or 'none'}-{run:04}",
        "pipeline": kind.name,
        "ts": ts,
    }
    failed, degraded = run in kind.fails, run in kind.degrades
    checks = _checks(kind, failed=failed, degraded=degraded, run=run) if kind.evaluated else []
    status = "failed" if failed else "degraded" if degraded else "healthy"
    code = sum(run >= at for at in kind.drifts)
    labels = ("read and check", "apply the rules")
    risks = [
        {
            "risk_id": risk,
            "label": risk.split(".")[1].replace("_", " "),
            "category": risk.split(".", maxsplit=1)[0],
            "severity": severity,
            "governance": "medium",
            "mitigated": risk in kind.mitigated,
            "owned": risk not in kind.unowned,
            "process": False,
            "owners": [] if risk in kind.unowned or not kind.owner else [kind.owner],
            "mitigations": ["reviewed rules"] if risk in kind.mitigated else [],
            "nodes": ["4"],
            "n_occurrences": 1,
        }
        for risk, severity in kind.risks.items()
    ]
    sensitive = {
        place: sum(c in ("email", "phone", "date_of_birth", "age") for c in columns)
        for place, columns in kind.writes.items()
    }
    rows: Rows = {
        "runs": [
            {
                "schema_version": 1,
                "conformare_version": "0.1.0",
                "title": "conformare run",
                "status": status,
                "env": kind.env,
                "git_sha": f"{0x9F3C21 + 7 * (run // 9):040x}"[::-1],
                "tags": kind.tags,
                "report_uri": f"https://reports.shop.example/{head['run_id']}.html",
                "backends": ["spark"],
                "n_nodes": 9,
                "n_operations": 8,
                "n_columns": 31,
                "n_sources": len(kind.reads),
                "n_sinks": len(kind.writes),
                "n_contexts": len(labels),
                "risks_total": len(risks),
                "risks_mitigated": len(kind.mitigated),
                "risks_unmitigated": len(risks) - len(kind.mitigated),
                "risks_owned": len(risks) - len(kind.unowned),
                "ge_evaluated": len(checks),
                "ge_failed": sum(check["success"] is False for check in checks),
                "ge_failed_hard": int(failed),
                "ge_errored": sum(check["success"] is None for check in checks),
                "sensitive_columns": sum(sensitive.values()),
                "sensitive_written": sum(sensitive.values()),
            }
        ],
        "contexts": [
            {
                "context_label": label,
                "purpose": "",
                "definition_owner": kind.owner,
                "impl_hash": f"{(index + 1) * 0x1D3F5B7A91C2E4F6 % 2**64 + (code if not index else 0):016x}"[
                    ::-1
                ],
                "risk_hash": f"{(index + 3) * 0x5A7C9E1B3D5F7082 % 2**64:016x}",
                "has_risks": bool(risks),
                "n_steps": 4,
                "risk_ids": sorted(kind.risks),
            }
            for index, label in enumerate(labels)
        ],
        "risks": risks,
        "sources": [
            {
                "node": str(index),
                "location": place,
                "format": "delta" if place.startswith("s3") else "jdbc",
                "reader": "spark.read",
                "columns": ["id"],
            }
            for index, place in enumerate(kind.reads)
        ],
        "sinks": [
            {
                "node": "9",
                "location": place,
                "format": "delta",
                "writer": "spark.write",
                "columns": list(columns),
                "n_sensitive": sensitive[place],
            }
            for place, columns in kind.writes.items()
        ],
        "expectations": checks,
        "owners": [
            *(
                {
                    "owner": kind.owner,
                    "scope": "context",
                    "ref": label,
                    "role": "context_owner",
                }
                for label in labels
                if kind.owner
            ),
            *(
                {"owner": kind.owner, "scope": "risk", "ref": risk, "role": "risk_owner"}
                for risk in kind.risks
                if kind.owner and risk not in kind.unowned
            ),
        ],
        "sink_risks": [
            {
                "sink_node": "9",
                "sink_location": place,
                "risk_id": risk["risk_id"],
                "label": risk["label"],
                "severity": risk["severity"],
                "owners": risk["owners"],
                "mitigated": risk["mitigated"],
                "kind": "indirect",
                "distance": 2,
                "context_label": labels[1],
            }
            for place in kind.writes
            for risk in risks
        ],
    }
    return {grain: [{**head, **row} for row in found] for grain, found in rows.items()}


def _checks(kind: Kind, *, failed: bool, degraded: bool, run: int) -> list[dict[str, Any]]:
    key = next(iter(kind.writes.values()))[0]
    names: list[tuple[str, str | None, bool, bool | None]] = [
        ("expect_column_values_to_be_unique", key, True, not failed),
        ("expect_column_values_to_not_be_null", key, False, not degraded),
        ("expect_table_row_count_to_be_between", None, False, None if run % 11 == 5 else True),
    ]
    return [
        {
            "node": "9",
            "expectation": name,
            "column": column,
            "success": success,
            "hard": hard,
            "severity": "critical" if hard else "warning",
            "observed": "unexpected_percent=0.4" if success is False else None,
            "error": "MetricResolutionError" if success is None else None,
            "missing_column": False,
        }
        for name, column, hard, success in names
    ]
