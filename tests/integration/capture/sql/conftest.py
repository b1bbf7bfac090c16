"""What the tests of SQL share: tables in two schemas, and what was recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession
from support.jobs.dropped import drop_tables
from support.jobs.lineage import Grain, Recorded

from conformare.capture import untracked


@pytest.fixture(scope="module")
def tables(classic: SparkSession) -> Iterator[None]:
    """Tables of Delta and of files, in the schemas `default` and `sales`."""
    statements = (
        "create schema sales",
        "create table orders (id int, email string) using delta",
        "create table kept (id int, email string) using delta",
        "create table plain (id int, email string) using parquet",
        "create table clients (id int) using delta",
        "create table sales.clients (id int, email string) using delta",
        "insert into orders values (1, 'a@example.org')",
    )
    with untracked():
        for statement in statements:
            classic.sql(statement)
    yield
    with untracked():
        classic.sql("drop schema sales cascade")
        drop_tables(classic)


@pytest.fixture
def session(tables: None, tracked: SparkSession) -> Iterator[SparkSession]:  # noqa: ARG001 - they are to be there
    """A tracked session that finds the tables; it leaves the schema as it was."""
    yield tracked
    with untracked():
        tracked.sql("use default")


@pytest.fixture
def recorded(grain: Grain) -> Recorded:
    """Location and format of all sources, and of all sinks."""

    def places() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        sources, sinks = (
            [(row["location"], row["format"]) for row in grain(name)]
            for name in ("sources", "sinks")
        )
        return sources, sinks

    return places
