"""Messages become the rows of their emissions, whatever order they come in."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from support.messages.produce import messages_of
from support.messages.records import make_record

from conformare_schemas import RUN_GRAINS, arrow_schema, table_columns, topic_name
from conformare_sink.messages.assembly import assemble, emission, table_rows
from conformare_sink.messages.decode import decode
from conformare_sink.messages.message import Message

PREFIX = "test."


def delivered(run_ids: list[str], seed: int, max_message_bytes: int) -> list[Message]:
    """The messages of some runs: split, some of them twice, in any order."""
    chance = random.Random(seed)  # noqa: S311 - the same order every time
    produced = [
        (m.key, m.value, topic_name(m.grain, PREFIX))
        for run_id in run_ids
        for m in messages_of(
            make_record(run_id), f"e-{run_id}", max_message_bytes=max_message_bytes
        )
    ]
    produced += chance.sample(produced, k=len(produced) // 3)
    chance.shuffle(produced)
    return [Message(*message, 0, offset, offset) for offset, message in enumerate(produced)]


@given(seed=st.integers(), size=st.sampled_from([1_500, 4_000, 1_000_000]))
def test_rows_of_an_emission_are_those_of_its_record(seed: int, size: int) -> None:
    """Each once, for those emissions that were chosen, as the tables hold them."""
    decoded = decode(delivered(["a", "b", "c"], seed, size), PREFIX)
    parts = assemble(decoded.envelopes)
    assert all(not emission(key, of_one).missing() for key, of_one in parts.items())
    chosen = {key: of_one for key, of_one in parts.items() if key.run_id != "b"}
    tables = table_rows(decoded, list(chosen.values()))
    assert set(tables) == set(RUN_GRAINS)
    for grain, table in tables.items():
        assert table.schema == arrow_schema(table_columns(grain))
        found = table.to_pylist(maps_as_pydicts="strict")
        for run_id in "ac":
            expected = make_record(run_id)[grain]
            rows = [row for row in found if row["run_id"] == run_id]
            assert {row.pop("emission_id") for row in rows} == {f"e-{run_id}"}
            own = [{**row, "ts": None} for row in expected]
            assert sorted(map(str, ({**row, "ts": None} for row in rows))) == sorted(map(str, own))
        assert {row["run_id"] for row in found} == {"a", "c"}
