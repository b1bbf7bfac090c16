"""docs/reference/capture.md tells of every method of Spark what is captured of it, and tells the truth."""

from __future__ import annotations

import pyspark
import pytest
from support.jobs.capture_table import CLASSES, TABLE, capture_of, methods_of

pytestmark = pytest.mark.skipif(
    not pyspark.__version__.startswith("4.1."), reason="the table is that of Spark 4.1"
)


@pytest.mark.parametrize("name", CLASSES)
def test_every_method_of_spark_is_known(name: str) -> None:
    """A new one is a line to be added to the capture's table, or to what is not captured."""
    unknown = set(methods_of(name)) - set(capture_of(name))
    assert unknown == set()


def test_the_document_holds_the_table_as_it_is() -> None:
    """`make capture-table` writes it anew."""
    document = TABLE.document
    assert document == TABLE.written(document)
