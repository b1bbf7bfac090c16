"""Where the options of a reader or a writer say that something lies."""

from __future__ import annotations

import pytest

from conformare.capture.locations import shown_query
from conformare.capture.spark._places import UNKNOWN, place_of
from conformare.capture.sql._file_systems import FileSystem


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"path": "s3a://k:secret@b/x"}, "s3://b/x"),
        ({"subscribe": "orders,returns"}, "orders,returns"),
        ({"subscribepattern": "orders-.*"}, "orders-.*"),
        ({"assign": "secret"}, UNKNOWN),
        ({"url": "jdbc:mysql://u:secret@h/d", "dbtable": "t"}, "jdbc:mysql://h/d#t"),
        ({"url": "jdbc:mysql://u:secret@h/d"}, "jdbc:mysql://h/d"),
        ({"dbtable": "sales.orders"}, "sales.orders"),
        ({}, UNKNOWN),
    ],
)
def test_options_name_a_place(options: dict[str, str], place: str) -> None:
    assert place_of(options) == place


def test_of_a_query_among_the_options_there_is_a_digest() -> None:
    query = "select * from t where x = 'secret'"
    for options in ({"query": query}, {"dbtable": f"({query}) q"}, {"path": query}):
        assert place_of(options).startswith("query:")
    digest = shown_query(query).rpartition(":")[2]
    assert place_of({"query": query}) == f"query:{digest}"


@pytest.mark.parametrize("root", ["file:///", "hdfs://h"])
@pytest.mark.parametrize(
    "query", ["select * from t where x = 'secret'", "/* all */ select * from t where x = 'secret'"]
)
def test_a_query_in_the_place_of_a_path_lies_in_no_folder(
    monkeypatch: pytest.MonkeyPatch, root: str, query: str
) -> None:
    """Also where Spark is running: then every other path has its file system."""
    monkeypatch.setattr(FileSystem, "_root", root)
    monkeypatch.setattr(FileSystem, "_folder", f"{root}/user/ana")
    assert place_of({"path": query}) == shown_query(query)
    assert place_of({"path": "x"}).endswith("/user/ana/x")
