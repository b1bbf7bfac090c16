"""What SQL costs the pipeline: no job, a few calls of Java, and never a statement."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from py4j.clientserver import JavaClient
from py4j.protocol import MEMORY_COMMAND_NAME
from pyspark.sql import SparkSession
from support.jobs.lineage import Grain

from conformare.capture import lineage, store
from conformare.capture.spark import _queries
from conformare.capture.sql._analysed import analysed
from conformare.record import to_run_record


def test_statements_start_no_job_of_ours(session: SparkSession) -> None:
    context, group = session.sparkContext, "statements"
    context.setJobGroup(group, "")
    session.sql("select * from plain where id in (select id from plain)")
    session.sql("create or replace temporary view some as select * from plain")
    session.sql("select * from some")
    session.table("plain")
    record = to_run_record(store, "p")
    jobs = context.statusTracker().getJobIdsForGroup(group)
    context.setJobGroup("others", "")
    session.sql("drop view some")
    assert len(record["sources"]) == 3
    assert list(jobs) == []


@pytest.mark.parametrize(
    ("query", "most"),
    [
        ("select 1", 15),
        ("select * from orders where id > 1", 20),
        (
            "select * from orders o join plain p on o.id = p.id where o.id in (select id from kept)",
            50,
        ),
    ],
)
def test_a_statement_costs_few_calls_of_java(
    session: SparkSession, monkeypatch: pytest.MonkeyPatch, query: str, most: int
) -> None:
    frame = session.sql(query)
    calls: list[str] = []
    original = JavaClient.send_command

    def counted(self: Any, command: str, *args: Any, **kwargs: Any) -> Any:
        # Python's garbage collector lets go of Java's objects whenever it likes.
        if not command.startswith(MEMORY_COMMAND_NAME):
            calls.append(command)
        return original(self, command, *args, **kwargs)

    monkeypatch.setattr(JavaClient, "send_command", counted)
    analysed(frame, {})
    assert len(calls) <= most


@pytest.mark.expects_guarded_fault
@pytest.mark.sessions("classic", "connect")
def test_a_fault_of_ours_does_not_reach_the_statement(
    session: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    swallowed_faults_fail: list[Exception],
) -> None:
    def fail(*_args: Any) -> NoReturn:
        raise RuntimeError("ours")

    monkeypatch.setattr(_queries, "analysed", fail)
    monkeypatch.setattr(_queries, "stated", fail)
    assert [row.a for row in session.sql("select 1 as a").collect()] == [1]
    assert [str(fault) for fault in swallowed_faults_fail] == ["ours"]
    assert lineage() == []


def test_a_table_that_is_gone_keeps_its_columns(session: SparkSession, grain: Grain) -> None:
    session.sql("create table staged using delta as select * from orders")
    session.sql("insert into staged select * from orders")
    session.sql("drop table staged")
    assert [(row["format"], row["columns"]) for row in grain("sinks")] == [
        ("delta", ["email", "id"])
    ] * 2
