"""Tables and names: one definition for everybody who writes or reads them."""

from __future__ import annotations

import pytest

from conformare_schemas import (
    GRAINS,
    RUN_GRAINS,
    SOURCE_RISKS,
    grain_table,
    path_identifier,
    row_fields,
    table_columns,
    table_identifier,
    topic_name,
    topic_names,
)


@pytest.mark.parametrize("grain", RUN_GRAINS)
def test_a_table_has_the_runs_key_the_grains_columns_and_the_emission(grain: str) -> None:
    """In this order."""
    own = [field.name for field in row_fields(grain)]
    names = [column.name for column in table_columns(grain)]
    assert names == ["run_id", "pipeline", "ts", *own, "emission_id"]


def test_a_declaration_is_known_by_its_location() -> None:
    """Readers look it up, and files are sorted, by that."""
    own = [field.name for field in row_fields(SOURCE_RISKS)]
    names = [column.name for column in table_columns(SOURCE_RISKS)]
    assert names == ["location", "ts", *own, "emission_id"]
    table = grain_table(SOURCE_RISKS)
    assert table.clustering == table.skipping == ("location", "ts")


def test_every_type_of_the_contract_has_a_type_in_tables() -> None:
    """Counts are integers, times timestamps, lists arrays and tags a map."""
    types = {column.name: column.sql_type for column in table_columns("runs")}
    assert types["ts"] == "TIMESTAMP"
    assert types["n_nodes"] == "INT"
    assert types["tags"] == "MAP<STRING,STRING>"
    assert types["backends"] == "ARRAY<STRING>"
    assert {c.name: c.sql_type for c in table_columns("risks")}["mitigated"] == "BOOLEAN"


def test_a_table_is_marked_as_ours_and_says_what_its_rows_are() -> None:
    """The quotes of comments are escaped."""
    sql = grain_table("runs").create_sql("`x`")
    assert "TBLPROPERTIES ('conformare.table' = 'runs'" in sql
    assert "COMMENT 'One run of a pipeline" in sql
    assert "pipeline\\'s code" in sql


def test_tables_in_a_catalog_are_clustered_and_those_in_a_folder_are_not() -> None:
    """The sink could not write them: deltalake knows no clustering."""
    runs = grain_table("runs")
    assert " CLUSTER BY (" in runs.create_sql(table_identifier("runs", schema="delta"))
    assert " CLUSTER BY (" not in runs.create_sql(path_identifier("/lake", "runs"))


def test_names_are_quoted() -> None:
    """A name with a backtick cannot break out of its quotes."""
    assert table_identifier("runs", catalog="gov", schema="a`b") == "`gov`.`a``b`.`runs`"
    assert table_identifier("runs", table_prefix="c_") == "`c_runs`"
    assert path_identifier("/lake/", "runs") == "delta.`/lake/runs`"


def test_topics_are_named_after_their_grain() -> None:
    """With a prefix that the user may choose."""
    assert topic_name("runs") == "conformare.runs"
    assert topic_names("x.") == {grain: f"x.{grain}" for grain in GRAINS}
