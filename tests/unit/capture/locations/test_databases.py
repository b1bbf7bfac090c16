"""Where a table of a database lies, or a query in its place, however somebody writes it."""

from __future__ import annotations

import pytest

from conformare.capture.locations import as_recorded, joined_with_table, redacted, shown_locations


@pytest.mark.parametrize(
    ("table", "kept"),
    [
        ("orders", "orders"),
        ("sales.orders", "sales.orders"),
        ('"My Sales"."orders"', '"My Sales"."orders"'),
        ("[dbo].[orders]", "[dbo].[orders]"),
        ("orders@archive", "orders@archive"),
        ("ana@example.org", "***"),
    ],
)
def test_a_table_of_a_database_is_named(table: str, kept: str) -> None:
    location = joined_with_table("jdbc:postgresql://h/d", table)
    assert location == f"jdbc:postgresql://h/d#{kept}"
    assert shown_locations(location) == location


@pytest.mark.parametrize(
    ("url", "table", "kept"),
    [
        ("jdbc:postgresql://u:p@h/d", "", "jdbc:postgresql://h/d"),
        ("https://u:p@h:8123/", "orders", "https://h:8123/orders"),
    ],
)
def test_a_table_need_not_be_named_and_the_url_need_not_be_one_of_jdbc(
    url: str, table: str, kept: str
) -> None:
    assert joined_with_table(url, table) == kept == shown_locations(kept)


@pytest.mark.parametrize(
    ("written", "recorded"),
    [
        ("JDBC:postgresql://H:5432/d#s.t", "jdbc:postgresql://h/d#s.t"),
        ("jdbc:sqlserver://H;databaseName=d#t", "jdbc:sqlserver://h;database=d#t"),
        ("jdbc:oracle:thin:@H:1521/s#t", "jdbc:oracle:thin:@//h/s#t"),
        ("jdbc:sqlserver://h;database=d;password=a#secret", "jdbc:sqlserver://h;database=d"),
        ("jdbc:sqlserver://h;database=d#select 'secret'", "jdbc:sqlserver://h;database=d"),
        ("jdbc:postgresql://h/d#query:440b42c58f21acb7", "jdbc:postgresql://h/d#query:440b42c58f21acb7"),
        ("server=H;database=d#t", "server=h;database=d#t"),
        ("s3a://b/x/", "s3://b/x"),
        ("https://h/x#secret", "https://h/x"),
        ("kafka://B:1,a:1/t", "kafka://a:1,b:1/t"),
    ],
)  # fmt: skip
def test_a_location_that_somebody_writes_becomes_that_of_a_record(
    written: str, recorded: str
) -> None:
    assert as_recorded(written) == recorded == as_recorded(recorded)


def test_what_stands_behind_a_sign_in_a_secret_is_no_table() -> None:
    for written in ("jdbc:mysql://u:a#secret@h/d", "jdbc:mysql://u#secret@h/d"):
        assert as_recorded(written) == redacted(written)
        assert "#" not in redacted(written)


def test_of_a_query_nothing_is_shown_and_a_literal_changes_nothing() -> None:
    """A digest over a literal would confirm who guesses it."""
    queries = [
        "t/**/where/**/x='value'",
        "(select * from t where x = 'value') q",
        'select * from t where x = "value"',
        "select * from t where x = 5",
        "select * from t where x = $$value$$ -- value",
        "select * from t where x = $a$value$a$ /* value",
        "select * from t where x = q'[a 'value']'",
        "select * from t where x = nq'!a 'value'!'",
    ]
    shown = [joined_with_table("jdbc:postgresql://h/d", query) for query in queries]
    for query, location in zip(queries, shown, strict=True):
        assert location.startswith("jdbc:postgresql://h/d#query:")
        assert "value" not in location
        other = query.replace("value", "it''s another").replace("5", "6.5e3")
        assert joined_with_table("jdbc:postgresql://h/d", other) == location
        assert shown_locations(location) == location
    assert redacted('select a from "S".t') != redacted('select a from "T".t')
    assert redacted("select a from v$s$a") != redacted("select a from v$s$b")
    for query in ("/* value */ select 1", "-- value\nselect 1", "\ufeffselect 'value'"):
        assert redacted(query).startswith("query:")
