"""Messages judged against the contract: whatever their bytes are, nothing raises."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st
from support.messages.produce import messages_of
from support.messages.records import make_record
from support.messages.upgrade import upgrade, upgraded

from conformare_schemas import (
    EARLIEST_TS_MICROS,
    RUN_GRAINS,
    message_header,
    message_schema,
    topic_name,
)
from conformare_sink.messages.decode import Decoded, decode
from conformare_sink.messages.message import Message

PREFIX = "test."


def messages(run_id: str = "run-1", emission_id: str = "e1", **kwargs: Any) -> list[Message]:
    """The messages of one emission, as Kafka would deliver them."""
    record = make_record(run_id)
    return [
        Message(m.key, m.value, topic_name(m.grain, PREFIX), 0, offset, offset)
        for offset, m in enumerate(messages_of(record, emission_id, **kwargs))
    ]


def of_grain(grain: str) -> Message:
    """The message of a grain."""
    return next(m for m in messages() if m.topic == topic_name(grain, PREFIX))


def encoded(grain: str, content: dict[str, Any]) -> bytes:
    """Content framed as its writer frames it, where its numbers need not fit."""
    schema = json.loads(json.dumps(message_schema(grain)).replace('"int"', '"long"'))
    payload = BytesIO()
    schemaless_writer(payload, parse_schema(schema), content)
    return message_header(grain) + payload.getvalue()


def cause_of(decoded: Decoded) -> str:
    """The cause why the only message cannot be used."""
    assert not decoded.envelopes
    (rejected,) = decoded.rejected
    return rejected.cause


def content_of(grain: str) -> dict[str, Any]:
    """A good message's content."""
    from fastavro import schemaless_reader

    value = of_grain(grain).value
    assert value is not None
    schema = json.loads(
        json.dumps(message_schema(grain)).replace(', "logicalType": "timestamp-micros"', "")
    )
    content: Any = schemaless_reader(BytesIO(value[10:]), schema, None)
    return dict(content)


def test_a_record_comes_out_as_it_went_in() -> None:
    """Envelopes in their grains, rows in their columns."""
    record = make_record("run-1")
    decoded = decode(messages(), PREFIX)
    assert decoded.rejected == []
    assert {e.grain: e.n_rows for e in decoded.envelopes} == {g: len(record[g]) for g in RUN_GRAINS}
    for grain in RUN_GRAINS:
        own = [
            {k: v for k, v in row.items() if k not in ("run_id", "pipeline", "ts")}
            for row in record[grain]
        ]
        found = decoded.rows[grain].to_pylist(maps_as_pydicts="strict")
        assert found == own


@given(value=st.binary(max_size=60), topic=st.sampled_from(RUN_GRAINS), framed=st.booleans())
def test_no_bytes_make_it_raise(value: bytes, topic: str, framed: bool) -> None:
    """Hostile ones behind a true header among them; a good message beside them is read."""
    content = message_header(topic) + value if framed else value
    hostile = Message(b"run-1", content, topic_name(topic, PREFIX), 0, 99, 99)
    good = of_grain("owners")
    decoded = decode([hostile, good], PREFIX)
    assert good in [e.message for e in decoded.envelopes]
    assert len(decoded.envelopes) + len(decoded.rejected) == 2


@given(data=st.data())
def test_no_damage_makes_it_raise(data: st.DataObject) -> None:
    """A byte that was changed, cut off or put in: used or rejected, never anything else."""
    message = data.draw(st.sampled_from(messages()))
    value = bytearray(message.value or b"")
    at = data.draw(st.integers(min_value=0, max_value=len(value) - 1))
    kind = data.draw(st.sampled_from(["change", "cut", "put in"]))
    if kind == "change":
        value[at] = data.draw(st.integers(min_value=0, max_value=255))
    elif kind == "cut":
        del value[at:]
    else:
        value[at:at] = data.draw(st.binary(min_size=1, max_size=12))
    decoded = decode([message._replace(value=bytes(value))], PREFIX)
    assert len(decoded.envelopes) + len(decoded.rejected) == 1


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"run_id": ""}, "is empty"),
        ({"pipeline": ""}, "is empty"),
        ({"emission_id": ""}, "is empty"),
        ({"ts": EARLIEST_TS_MICROS - 1}, "outside the years 1900 to 9999"),
        ({"ts": 2**60}, "outside the years"),
        ({"first_row": -1}, "no first_row that a grain can have"),
        ({"first_row": 2**31}, "no first_row that a grain can have"),
        ({"rows": []}, "no rows"),
        ({"row_counts": {"runs": 2}}, "does not count the grain runs as one"),
        ({"row_counts": {}}, "does not count the grain runs as one"),
        ({"row_counts": {"runs": 1, "owners": 0}}, "counts no rows"),
        ({"row_counts": {"runs": 1, "owners": 2**31}}, "more than there can be"),
        ({"row_counts": {"runs": 1, "news": 1}}, "unknown schema: row_counts names a grain"),
    ],
)
def test_what_breaks_the_contract_is_told(change: dict[str, Any], cause: str) -> None:
    """Each rule by itself."""
    content = {**content_of("runs"), **change}
    key = content["run_id"].encode()
    message = of_grain("runs")._replace(key=key, value=encoded("runs", content))
    assert cause in cause_of(decode([message], PREFIX))


def test_runs_has_one_row() -> None:
    """And it is the first."""
    content = content_of("runs")
    for change in ({"rows": content["rows"] * 2}, {"first_row": 1}):
        message = of_grain("runs")._replace(value=encoded("runs", {**content, **change}))
        assert "exactly one row" in cause_of(decode([message], PREFIX))


@pytest.mark.parametrize("key", [None, b"", b"run-2"])
def test_the_key_is_the_run_id(key: bytes | None) -> None:
    """Otherwise the run would be spread over partitions."""
    message = of_grain("risks")._replace(key=key)
    assert "the key is not the run_id" in cause_of(decode([message], PREFIX))


@pytest.mark.parametrize("value", [None, b"", b"\xc3", b"\x00\x00\x00\x00\x07rest"])
def test_what_is_not_framed_is_told(value: bytes | None) -> None:
    """Tombstones and other framings among it."""
    assert cause_of(decode([of_grain("runs")._replace(value=value)], PREFIX)).startswith(
        "not framed"
    )


def test_a_message_on_the_topic_of_another_grain_has_an_unknown_schema() -> None:
    """As has one of a contract that is newer than the sink."""
    strayed = of_grain("owners")._replace(topic=topic_name("risks", PREFIX))
    assert cause_of(decode([strayed], PREFIX)).startswith("unknown schema")
    newer = of_grain("owners")._replace(value=b"\xc3\x01" + b"12345678" + b"payload")
    assert cause_of(decode([newer], PREFIX)).startswith("unknown schema")


def test_bytes_behind_the_value_are_noticed() -> None:
    """Its schema is not the one that it was written with."""
    message = of_grain("owners")
    spoilt = message._replace(value=(message.value or b"") + b"\x00")
    assert cause_of(decode([spoilt], PREFIX)) == "undecodable: there are bytes behind the value"


def test_a_text_that_is_not_utf8_spoils_its_message_only() -> None:
    """In a row as in the envelope."""
    message = of_grain("owners")
    value = (message.value or b"").replace(b"first", b"fir\xff\xff", 1)
    assert value != message.value
    decoded = decode([message._replace(value=value), of_grain("risks")], PREFIX)
    assert [r.cause for r in decoded.rejected] == [
        "undecodable: the value does not follow its schema"
    ]
    assert [e.grain for e in decoded.envelopes] == ["risks"]


def test_a_number_that_no_column_can_hold_spoils_its_message_only() -> None:
    """Avro's numbers have no bounds; the messages around it keep their rows."""
    content = content_of("runs")
    content["rows"] = [{**content["rows"][0], "n_nodes": 2**40}]
    spoilt = of_grain("runs")._replace(value=encoded("runs", content))
    before, after = of_grain("runs"), of_grain("runs")._replace(offset=7)
    decoded = decode([before, spoilt, after], PREFIX)
    assert [r.cause for r in decoded.rejected] == [
        "breaks the contract: a number does not fit its type"
    ]
    assert [(e.message, e.at) for e in decoded.envelopes] == [(before, 0), (after, 1)]
    assert decoded.rows["runs"].num_rows == 2


def test_topics_of_another_prefix_are_unknown() -> None:
    """What waits may be of a time when the sink read others."""
    message = of_grain("owners")
    assert cause_of(decode([message], "other.")).startswith("unknown topic")
    assert replace(decode([message], PREFIX).envelopes[0], at=0).message is message


def test_another_version_is_read_as_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows have the columns of the tables, whatever fields it added."""
    produced = messages_of(make_record("run-1"), "e1")
    others = [
        Message(m.key, upgraded(m).value, topic_name(m.grain, PREFIX), 0, offset, offset)
        for offset, m in enumerate(produced)
    ]
    assert {cause_of(decode([m], PREFIX))[:14] for m in others} == {"unknown schema"}
    upgrade(monkeypatch)
    found, expected = decode(others, PREFIX), decode(messages(), PREFIX)
    assert found.rejected == []
    assert found.rows == expected.rows
    facts = [
        [(e.grain, e.n_rows, e.at, e.ts, e.emission_id, e.row_counts) for e in one.envelopes]
        for one in (found, expected)
    ]
    assert facts[0] == facts[1]
