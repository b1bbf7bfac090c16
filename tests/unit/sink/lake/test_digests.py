"""A set in memory that answers like a set."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from conformare_sink.lake.digests import DigestSet, run_digest
from conformare_sink.messages.emission import RunKey

# Few different first halves, so that many share theirs.
digests = st.builds(
    lambda first, second: bytes([first]) * 8 + bytes([second]) * 8,
    st.integers(min_value=0, max_value=3),
    st.integers(min_value=0, max_value=20),
)


@given(portions=st.lists(st.tuples(st.booleans(), st.lists(digests))), asked=st.lists(digests))
def test_it_answers_like_a_set(
    portions: list[tuple[bool, list[bytes]]], asked: list[bytes]
) -> None:
    """However its elements came: by hand or from a table, few or many, some of them again."""
    naive: set[bytes] = set()
    found = DigestSet()
    for from_table, portion in portions:
        naive |= set(portion)
        if from_table:
            chunks = [pa.array(portion, pa.binary()), pa.array([], pa.binary())]
            found.add_column(pa.chunked_array(chunks))
        else:
            found.add(portion)
    assert found.contain(asked) == [one in naive for one in asked]
    assert len(found) == len(naive)


def test_what_comes_in_many_portions_is_in_few_parts() -> None:
    """So that neither a look-up nor another portion takes longer and longer."""
    found = DigestSet()
    for number in range(1_000):
        found.add([number.to_bytes(16, "little")])
    assert len(found) == 1_000
    assert len(found._parts) <= 10


def test_a_slice_of_a_column_is_read_from_where_it_begins() -> None:
    """Arrow's slices share their buffers."""
    three = pa.array([bytes([n]) * 16 for n in range(3)], pa.binary())
    found = DigestSet()
    found.add_column(pa.chunked_array([three.slice(1, 1)]))
    assert found.contain([bytes([n]) * 16 for n in range(3)]) == [False, True, False]


def test_run_id_and_pipeline_are_kept_apart() -> None:
    """Moving a character from one to the other makes another run."""
    assert run_digest(RunKey("pipeline", "run")) != run_digest(RunKey("ipeline", "runp"))
    assert run_digest(RunKey("1:a", "b")) != run_digest(RunKey("a", "b1:"))
