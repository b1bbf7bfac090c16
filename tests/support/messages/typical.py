"""A typical run as it is captured, without a Spark: 20 steps, whose record has 36 rows."""

from __future__ import annotations

from conformare.capture import Store, describe, risk
from conformare.capture._lineage import Expectation

FILE = "pipelines/orders.py"
STEPS_IN_A_CONTEXT = 5
CHECKS = 10
RISKS_OF_CONTEXTS = (
    ("quality.missing_values", "quality.duplicates"),
    ("privacy.pii_exposure",),
    ("privacy.pii_exposure", "compliance.gdpr"),
    ("quality.outliers",),
)
"""Each pair of contexts leads to a sink of its own, with three risks on the way."""
WITHOUT_OWNER = "quality.outliers"


class Frame:
    """Stands for a frame of which nothing but its columns matters."""

    columns = ("order_id", "customer", "email", "amount", "currency", "ordered_at", "country")


def typical_store() -> Store:
    """Return the capture of a run: 4 contexts of 5 steps, 4 reads, 10 checks and 2 writes."""
    captured, frame = Store(), Frame()
    for context, names in enumerate(RISKS_OF_CONTEXTS):
        table = Frame()
        captured.add_source(
            table,
            location=f"s3a://lake/bronze/table_{context}",
            format="delta",
            reader="spark.read",
            place=(FILE, "read", context, 0),
        )
        parents = [table] if context % 2 == 0 else [table, frame]
        risks = [
            risk(
                name,
                mitigation="reviewed by the owner every quarter",
                owner=None if name == WITHOUT_OWNER else f"{name.split('.')[0]}@example.com",
            )
            for name in names
        ]
        with describe(f"part {context} of the orders", purpose="clean and join", risks=risks):
            for step in range(STEPS_IN_A_CONTEXT):
                child = Frame()
                text = f"F.col('amount') * {step} + F.coalesce('currency', F.lit('EUR'))"
                captured.add_step(
                    "withColumn",
                    parents,
                    child,
                    logic={"args": ["'amount'", text]},
                    place=(FILE, "transform", context, step),
                )
                frame, parents = child, [child]
        captured.add_expectations(_checks(captured, frame, context))
        if context % 2 == 1:
            captured.add_sink(
                frame,
                location=f"s3a://lake/silver/orders_{context}",
                format="delta",
                writer="spark",
                label=f"orders_{context}",
                op="saveAsTable",
                place=(FILE, "write", context, 0),
            )
    return captured


def _checks(captured: Store, frame: Frame, context: int) -> list[Expectation]:
    node = captured.node_for(frame)
    return [
        Expectation(node, "expect_column_values_to_not_be_null", column, True, False, "warning")
        for number, column in enumerate((*Frame.columns, "a", "b", "c"))
        if number % len(RISKS_OF_CONTEXTS) == context
    ]
