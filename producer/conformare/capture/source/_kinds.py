"""Which values are Spark's, told without importing Spark."""

from __future__ import annotations

import sys
from typing import Any


def is_data_frame(value: Any) -> bool:
    """Whether a value is a data frame of Spark, without importing Spark."""
    return is_spark("DataFrame", value, "pyspark.sql.connect.dataframe")


def is_column(value: Any) -> bool:
    """Whether a value is a column of Spark, without importing Spark."""
    return is_spark("Column", value, "pyspark.sql.connect.column")


def is_spark(name: str, value: Any, elsewhere: str) -> bool:
    """Whether a value is of a class of `pyspark.sql`, or of its namesake elsewhere in Spark."""
    # Before Spark 4 the classes of Connect are no subclasses of those of `pyspark.sql`.
    for module in ("pyspark.sql", elsewhere):
        known = getattr(sys.modules.get(module), name, None)
        # isinstance() would ask a proxy for its class, and so run the proxy's code.
        if known is not None and issubclass(type(value), known):
            return True
    return False
