"""The contract: what a released version promises."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import avro.compatibility
import avro.schema
import fastavro
import pytest

import conformare_schemas
from conformare_schemas import (
    CONTRACT_VERSION,
    GRAINS,
    HEADER_BYTES,
    RELEASED_SCHEMAS,
    RELEASED_VERSIONS,
    RUN_GRAINS,
    SOURCE_RISKS,
    message_header,
    message_schema,
    message_schema_text,
    row_fields,
    schema_fingerprint,
)

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.parametrize(("grain", "version"), RELEASED_SCHEMAS)
def test_a_released_schema_never_changes(grain: str, version: int) -> None:
    """The digest was taken when the version was released."""
    digests = json.loads((SAMPLES / f"v{version}" / "digests.json").read_text("utf-8"))
    text = message_schema_text(grain, version)
    assert hashlib.sha256(text.encode()).hexdigest() == digests[grain]


@pytest.mark.parametrize(("grain", "version"), RELEASED_SCHEMAS)
def test_a_sample_message_of_every_released_version_decodes(grain: str, version: int) -> None:
    """With the schema it was written with, and read as the current version."""
    value = (SAMPLES / f"v{version}" / f"{grain}.bin").read_bytes()
    expected = json.loads((SAMPLES / f"v{version}" / f"{grain}.json").read_text("utf-8"))
    assert value[:HEADER_BYTES] == message_header(grain, version)
    message = fastavro.schemaless_reader(
        io.BytesIO(value[HEADER_BYTES:]),
        fastavro.parse_schema(message_schema(grain, version)),
        fastavro.parse_schema(message_schema(grain)),
    )
    assert json.loads(json.dumps(message, default=str)) == expected


@pytest.mark.parametrize(("grain", "version"), RELEASED_SCHEMAS)
def test_the_fingerprint_is_the_one_of_another_avro_implementation(
    grain: str, version: int
) -> None:
    """The vectors were made with Apache Avro for Java 1.12.1, SchemaNormalization."""
    vectors = json.loads((SAMPLES / f"v{version}" / "fingerprints.json").read_text("utf-8"))
    assert schema_fingerprint(grain, version).hex() == vectors[grain]


def test_the_fingerprint_has_the_byte_order_of_the_specification() -> None:
    """The specification's own vector: the fingerprint of "null" is 7195948357588979594."""
    assert (
        fastavro.schema.fingerprint('"null"', "CRC-64-AVRO")
        == (7195948357588979594).to_bytes(8, "little").hex()
    )


@pytest.mark.parametrize(
    ("grain", "reader", "writer"),
    [(g, r, w) for g, r in RELEASED_SCHEMAS for same, w in RELEASED_SCHEMAS if g == same],
)
def test_every_released_version_reads_every_other(grain: str, reader: int, writer: int) -> None:
    """FULL_TRANSITIVE compatibility, as Apache's library sees it."""
    checker = avro.compatibility.ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # it has no types
    result = checker.get_compatibility(
        avro.schema.parse(message_schema_text(grain, reader)),
        avro.schema.parse(message_schema_text(grain, writer)),
    )
    assert result.compatibility is avro.compatibility.SchemaCompatibilityType.compatible


def test_what_a_version_does_not_change_stays_as_it_was() -> None:
    """Byte for byte, and so its fingerprint: who knows version 1 reads the runs of version 2."""
    unchanged = {(g, v) for v in RELEASED_VERSIONS for g in GRAINS} - {*RELEASED_SCHEMAS}
    assert unchanged - {(SOURCE_RISKS, 1)} == {(grain, 2) for grain in RUN_GRAINS}
    for grain in RUN_GRAINS:
        assert message_schema_text(grain, 2) == message_schema_text(grain, 1)
        assert message_header(grain) == message_header(grain, 1)


def test_every_released_schema_is_a_file_and_every_file_is_released() -> None:
    """Whatever lies in the folders of versions is part of the contract."""
    folder = Path(conformare_schemas.__file__).parent
    found = {(f.stem, int(f.parent.name[1:])) for f in folder.glob("v*/*.avsc")}
    assert found == {*RELEASED_SCHEMAS}
    assert {grain for grain, _ in RELEASED_SCHEMAS} == {*GRAINS}


def test_a_declaration_names_its_location_in_place_of_a_run() -> None:
    """It is one message, so there is no first row either."""
    names = [field["name"] for field in message_schema(SOURCE_RISKS)["fields"]]
    assert names == ["location", "ts", "emission_id", "rows"]


def test_every_grain_of_a_run_has_the_same_envelope() -> None:
    """Only `runs` says more: how many rows of which grain belong to the emission."""

    def envelope(grain: str) -> list[dict[str, object]]:
        fields = message_schema(grain)["fields"]
        return [field for field in fields if field["name"] not in {"rows", "row_counts"}]

    assert {json.dumps(envelope(grain)) for grain in RUN_GRAINS} == {json.dumps(envelope("runs"))}
    assert [g for g in RUN_GRAINS if message_schema(g)["fields"][-1]["name"] == "row_counts"] == [
        "runs"
    ]


def test_an_optional_column_comes_with_null_as_its_default() -> None:
    """A union's default is of its first branch, or only some Avro libraries accept it."""
    optional = [f for g in GRAINS for f in row_fields(g) if isinstance(f.avro_type, list)]
    assert optional
    assert all(field.avro_type[0] == "null" for field in optional)


@pytest.mark.parametrize(
    ("grain", "version"), [("run", CONTRACT_VERSION), ("runs", 99), (SOURCE_RISKS, 1)]
)
def test_what_is_not_in_the_contract_is_refused(grain: str, version: int) -> None:
    """With a message that names what there is."""
    with pytest.raises(ValueError, match="unknown"):
        message_schema_text(grain, version)
