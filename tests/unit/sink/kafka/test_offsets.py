"""Spark's JSON of offsets, to it and from it."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare_sink.kafka.offsets import PartitionOffsets, from_spark, to_spark

PLACES = st.tuples(st.text(), st.integers(0, 2**31 - 1))
OFFSETS = st.dictionaries(PLACES, st.integers(0, 2**63 - 1))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("0123-") | st.text(), inner),
)


def test_it_is_the_json_that_spark_documents() -> None:
    """Topics and partitions in order, so that one set of offsets is one text."""
    offsets = {("runs", 10): 7, ("risks", 0): 5, ("runs", 2): 0}
    assert to_spark(offsets) == '{"risks": {"0": 5}, "runs": {"2": 0, "10": 7}}'


@given(OFFSETS)
def test_what_is_written_is_read_again(offsets: PartitionOffsets) -> None:
    """Whatever topics are called, and however far they have come."""
    assert from_spark(to_spark(offsets)) == offsets


@given(JSON)
def test_anything_is_either_offsets_or_refused(value: Any) -> None:
    """With a ValueError, and nothing else; what is taken says the same again."""
    try:
        offsets = from_spark(json.dumps(value))
    except ValueError:
        return
    said = {topic: partitions for topic, partitions in value.items() if partitions}
    assert json.loads(to_spark(offsets)) == said


@given(st.text())
def test_any_text_is_either_offsets_or_refused(text: str) -> None:
    """A file that a full disk has cut off is no traceback."""
    with contextlib.suppress(ValueError):
        from_spark(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1"),
        ('{"runs": {"0": 5}', "line 1"),
        pytest.param("[" * 100_000, "nested", id="deep"),
        ("null", "object"),
        ("[]", "object"),
        ('{"runs": 5}', "object"),
        ('{"runs": {"0": "5"}}', "offset"),
        ('{"runs": {"0": 5.0}}', "offset"),
        ('{"runs": {"0": true}}', "offset"),
        ('{"runs": {"0": null}}', "offset"),
        ('{"runs": {"0": -1}}', "offset"),
        ('{"runs": {"-0": 5}}', "partition"),
        ('{"runs": {"00": 5}}', "partition"),
        ('{"runs": {"٣": 5}}', "partition"),
        ('{"runs": {"²": 5}}', "partition"),
        ('{"runs": {"0": 5, "0": 6}}', "twice"),
        ('{"runs": {"0": 5}, "runs": {"1": 6}}', "twice"),
    ],
)
def test_what_spark_would_not_have_written_is_refused(text: str, told: str) -> None:
    """Rather than taken for another place in the topics."""
    with pytest.raises(ValueError, match=told):
        from_spark(text)
