"""Declarations of a location on the way of runs: the spool, the courier, one message each."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import fastavro
import pytest
from support.jobs.writers import MOCK, PATIENCE_SECONDS, MakeWriter, spooled
from support.messages.records import make_declaration, make_record

import conformare as cf
from conformare import RunEncodingError
from conformare.emission import encode_emission
from conformare.emission.spool._file import from_bytes
from conformare_schemas import (
    HEADER_BYTES,
    MAX_ROWS_PER_MESSAGE,
    SOURCE_RISKS,
    message_header,
    message_schema,
)


def test_a_declaration_is_one_message_by_its_location() -> None:
    """However many bytes it has: nothing of it says how it would be split."""
    record = make_declaration("/données", *map(str, range(100)))
    (message,) = encode_emission(record, "e", max_message_bytes=1_000)
    assert (message.grain, message.key) == (SOURCE_RISKS, "/données".encode())
    assert message.value.startswith(message_header(SOURCE_RISKS))
    content: Any = fastavro.schemaless_reader(
        io.BytesIO(message.value[HEADER_BYTES:]), message_schema(SOURCE_RISKS), None
    )
    assert (content["location"], content["emission_id"]) == ("/données", "e")
    shared = {name: record[SOURCE_RISKS][0][name] for name in ("location", "ts")}
    assert [{**shared, **row} for row in content["rows"]] == record[SOURCE_RISKS]


@pytest.mark.parametrize("n_rows", [0, MAX_ROWS_PER_MESSAGE + 1])
def test_a_declaration_that_no_sink_takes_is_not_sent(n_rows: int) -> None:
    """Whoever has made the record."""
    (row, _) = make_declaration("/data")[SOURCE_RISKS]
    with pytest.raises(RunEncodingError, match=f"declaration of {n_rows:,} rows"):
        encode_emission({SOURCE_RISKS: [row] * n_rows}, "e", max_message_bytes=1_000)


def test_a_broker_that_is_away_neither_raises_nor_waits(
    make_writer: MakeWriter, tmp_path: Path
) -> None:
    """The declaration is in the spool when the call returns."""
    writer = make_writer()
    cf.record_source_risk("/data", "own.risk", dest=writer)
    assert len(spooled(tmp_path)) == 1
    assert (writer.stats().recorded, writer.stats().waiting) == (1, 1)


def test_an_acknowledged_declaration_leaves_the_spool(
    make_writer: MakeWriter, tmp_path: Path
) -> None:
    """That of a process before, too, beside its runs."""
    first = make_writer()
    cf.record_source_risk("/data", "own.risk", dest=first)
    first.write(make_record("run-1"))
    first.close(timeout_seconds=0)
    second = make_writer(kafka=MOCK)
    cf.record_source_risk("/data", "own.risk", dest=second)
    courier = second._courier
    assert courier.wait(lambda: not spooled(tmp_path), PATIENCE_SECONDS)
    assert courier.stats().delivered == 3


def test_declarations_have_numbers_of_their_own(make_writer: MakeWriter, tmp_path: Path) -> None:
    """A sink that does not read them yet misses no number among those of the runs."""
    writer = make_writer()
    for number in range(2):
        writer.write(make_record(f"run-{number}"))
        cf.record_source_risk("/data", "own.risk", dest=writer)
    numbers: dict[bool, set[tuple[bytes, bytes]]] = {True: set(), False: set()}
    for file in spooled(tmp_path):
        emission = from_bytes(file.read_bytes()).emission
        headers = emission.headers
        named = headers["conformare.producer"], headers["conformare.sequence"]
        numbers[bool(emission.pipeline)].add(named)
    for those in numbers.values():
        assert len({producer for producer, _ in those}) == 1
        assert {sequence for _, sequence in those} == {b"1", b"2"}
    assert numbers[True].isdisjoint(numbers[False])


def test_what_is_too_large_is_set_aside_and_told(
    make_writer: MakeWriter, caplog: pytest.LogCaptureFixture
) -> None:
    """In words that name what it is."""
    writer = make_writer(max_message_bytes=2_000)
    cf.record_source_risk("/data", "own.risk", note="x" * 2_000, dest=writer)
    assert writer.stats().rejected == 1
    assert "declaration of '/data' was rejected" in caplog.text


def test_a_strict_writer_tells_what_was_not_delivered(
    make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the location."""
    monkeypatch.setattr("conformare.emission._writer.STRICT_TIMEOUT_SECONDS", 0.1)
    with pytest.raises(cf.DeliveryError, match="declaration of '/data' was not acknowledged"):
        cf.record_source_risk("/data", "own.risk", dest=make_writer(strict=True))
