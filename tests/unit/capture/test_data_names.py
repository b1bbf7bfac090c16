"""Columns that values of rows have named are one entry, wherever they go."""

from __future__ import annotations

from typing import Any

import pytest

from conformare.capture import store
from conformare.capture._data_names import NOTHING, Hidden, Stand
from conformare.capture._lineage import DataNamed, Expectation, Introduced
from conformare.capture.spark._shapes import named_by_data, pivoted_by, size_of_keys
from conformare.record import build_model, to_run_record

PIVOT = DataNamed("pivot(who)", 1)
TOTAL = Introduced(("total",))
BOB = "Bob Smith 123-45-6789"


def columns_of_sinks() -> list[list[str]]:
    """Return the columns of every sink in the record."""
    record = to_run_record(store, "p", run_id="r", ts="2026-01-01")
    return [row["columns"] for row in record["sinks"]]


def write(frame: Any, location: str = "/out") -> None:
    """Take note of a write of a frame, at one place in the source."""
    place = ("f", "g", 1, 2)
    store.add_sink(
        frame, location=location, format="x", writer="w", label="l", op="save", place=place
    )


@pytest.mark.parametrize("asked_before", [False, True])
def test_one_entry_stands_for_all_of_them(stub_frame: Any, *, asked_before: bool) -> None:
    pivoted = stub_frame(["id", BOB, "Ann"])
    store.add_step("group_by.sum", [stub_frame(["id", "who"])], pivoted, data_named=PIVOT)
    if asked_before:
        store.resolve()
    write(pivoted)
    assert columns_of_sinks() == [["id", "pivot(who)"]]
    assert BOB not in str(build_model(store))
    assert BOB not in repr(store.snapshot())


def test_downstream_they_are_hidden_also_in_names_that_are_made_of_them(stub_frame: Any) -> None:
    pivoted = stub_frame(["id", BOB, "x"])
    more = stub_frame(["id", BOB, "x", "total", f"sum({BOB})", "max(x)", f"{BOB}_y", "tax"])
    other, joined = stub_frame(["id", "z"]), stub_frame(["id", "x", "z"])
    store.add_step("group_by.sum", [stub_frame()], pivoted, data_named=PIVOT)
    store.add_step("select", [pivoted], more)
    store.add_step("join", [other, more], joined)
    for number, frame in enumerate((more, joined, other)):
        write(frame, f"/out/{number}")
    assert columns_of_sinks() == [
        ["id", "pivot(who)", "tax", "total"],
        ["id", "pivot(who)", "z"],
        ["id", "z"],
    ]
    model = str(build_model(store))
    assert BOB not in model
    assert "'x'" not in model


def test_an_empty_value_hides_no_other_name(stub_frame: Any) -> None:
    pivoted, after = stub_frame(["id", "", BOB]), stub_frame(["id", BOB, "total"])
    store.add_step("group_by.sum", [stub_frame()], pivoted, data_named=PIVOT)
    store.add_step("filter", [pivoted], after)
    write(after)
    assert columns_of_sinks() == [["id", "pivot(who)", "total"]]


def test_a_check_of_such_a_column_does_not_name_it(stub_frame: Any) -> None:
    pivoted, after = stub_frame(["id", BOB]), stub_frame(["id", BOB])
    store.add_step("group_by.sum", [stub_frame()], pivoted, data_named=PIVOT)
    store.add_step("filter", [pivoted], after)
    for frame in (pivoted, after):
        node = store.node_for(frame)
        store.add_expectations(
            [
                Expectation(node, "e", column, True, hard=False, severity="low")
                for column in ("id", BOB, None)
            ]
        )
    record = to_run_record(store, "p", run_id="r", ts="2026-01-01")
    columns = [row["column"] for row in record["expectations"]]
    assert columns == ["id", "pivot(who)", None] * 2


def test_a_table_that_is_changed_by_such_a_frame_has_the_entry(stub_frame: Any) -> None:
    pivoted = stub_frame(["id", BOB])
    store.add_step("group_by.sum", [stub_frame()], pivoted, data_named=PIVOT)
    changed = store.add_step("merge", [pivoted], None)
    store.add_sink(
        changed,
        location="t",
        format="delta",
        writer="w",
        label="l",
        op="merge",
        columns=lambda: ("id", BOB),
    )
    assert columns_of_sinks() == [["id", "pivot(who)"]]


@pytest.mark.parametrize("recorded_between", [False, True])
def test_other_values_in_another_round_of_a_loop_are_the_same_entry(
    stub_frame: Any, *, recorded_between: bool
) -> None:
    """The frames of all rounds are one node, of which only the first has been asked."""
    place = ("f", "g", 1, 1)
    start = stub_frame()
    for name in (BOB, "Ann Other", "Ann Again"):
        pivoted, renamed = stub_frame(["id", name]), stub_frame(["id", name, "total"])
        store.add_step("group_by.sum", [start], pivoted, data_named=PIVOT, place=place)
        store.add_step("withColumn", [pivoted], renamed, place=place, introduces=TOTAL)
        write(renamed)
        if recorded_between:
            columns_of_sinks()
    assert columns_of_sinks() == [["id", "pivot(who)", "total"]]


def test_what_a_step_is_fed_in_a_later_round_counts_too(stub_frame: Any) -> None:
    """Where a step feeds itself, its parents are those of all rounds."""
    place = ("f", "g", 1, 1)
    frame = stub_frame()
    for _ in range(1_001):
        after = stub_frame(["a"])
        store.add_step("filter", [frame], after, place=place)
        frame = after
    pivoted, last = stub_frame(["id", BOB]), stub_frame(["id", BOB])
    store.add_step("group_by.sum", [stub_frame()], pivoted, data_named=PIVOT)
    number = store.add_step("filter", [pivoted], last, place=place)
    assert number is not None
    write(last)
    assert BOB not in str(columns_of_sinks())


LITERALS = Hidden({"(name = Bob)": Stand("(name = ?)"), "new": Stand("?"), "5": Stand("?")})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("(name = Bob)", "(name = ?)"),
        ("max((name = Bob))", "max((name = ?))"),
        ("(name = Bob)_total", "(name = ?)_total"),
        ("`(name = Bob)`", "`(name = ?)`"),
        ("new", "?"),
        ("sum(new)", "sum(?)"),
        ("(n + 5)", "(n + ?)"),
        # A word is an author's, or a column's, whatever it begins with.
        ("new_email", "new_email"),
        ("q_5", "q_5"),
        ("renewed", "renewed"),
        ("sum(renewed)", "sum(renewed)"),
        ("(name = Bobby)", "(name = Bobby)"),
    ],
)
def test_what_an_expression_has_named_is_shown_without_its_literals(name: str, shown: str) -> None:
    assert LITERALS.shown(name) == shown


def test_where_nobody_can_tell_only_words_are_shown() -> None:
    hidden = Hidden({"": Stand("(expression)"), "Bob": Stand("?")})
    names = ("id", "Bob", "(name = Bob)", "sum(n)", "order id")
    assert hidden.over(names) == ("id", "?", "(expression)")


def test_nothing_hides_nothing() -> None:
    assert Hidden.together([NOTHING, NOTHING]) is NOTHING
    assert Hidden.together([NOTHING, LITERALS, LITERALS]) is LITERALS
    assert LITERALS.with_more({}) is LITERALS
    assert NOTHING.over(["a", "a"]) == ("a", "a")
    assert "Bob" not in repr(LITERALS)


def test_what_a_statement_without_rows_has_named_is_hidden_where_it_is_read(
    stub_frame: Any,
) -> None:
    made = store.add_step("sql", [], None, made_names=lambda: {"(name = Bob)": "(name = ?)"})
    assert made is not None
    store.add_sink(
        made,
        location="t",
        format="x",
        writer="w",
        label="l",
        op="create",
        columns=lambda: ("id", "(name = Bob)"),
    )
    read = stub_frame(["id", "max((name = Bob))"])
    store.add_step("table", [], read, upstream=[made])
    write(read)
    assert columns_of_sinks() == [["(name = ?)", "id"], ["id", "max((name = ?))"]]


@pytest.mark.expects_guarded_fault
def test_what_a_statement_has_named_is_hidden_where_it_cannot_be_told(
    stub_frame: Any, swallowed_faults_fail: list[Exception]
) -> None:
    def fail() -> dict[str, str]:
        raise LookupError("the session is gone")

    made = store.add_step("sql", [], None, made_names=fail)
    assert made is not None
    read = stub_frame(["id", "(name = Bob)"])
    store.add_step("table", [], read, upstream=[made])
    write(read)
    assert columns_of_sinks() == [["(expression)", "id"]]
    assert len(swallowed_faults_fail) == 1


@pytest.mark.parametrize(
    ("args", "kwargs", "written", "shown"),
    [
        (("who",), {}, "", "pivot(who)"),
        (("who", ["a"]), {}, "['a']", None),
        (("who", ["a"]), {}, "literal:0123456789abcdef", None),
        (("who", ["a"]), {}, "values", "pivot(who)"),
        (("who", ["a"]), {}, "[row[0] for row in rows]", "pivot(who)"),
        (("who", ["a"]), {}, "", "pivot(who)"),
        (("who", None), {}, "None", "pivot(who)"),
        ((), {"pivot_col": "who"}, "", "pivot(who)"),
        ((), {"pivot_col": "who", "values": ["a"]}, "['a']", None),
    ],
)
def test_a_pivot_has_the_values_that_the_author_lists(
    args: tuple[Any, ...], kwargs: dict[str, Any], written: str, shown: str | None
) -> None:
    assert pivoted_by(args, kwargs, written) == shown


def test_other_methods_whose_columns_values_of_rows_name() -> None:
    assert named_by_data("crosstab", ("a", "who"), {}) == DataNamed("crosstab(who)", 1)
    assert named_by_data("crosstab", (), {"col1": "a", "col2": "b"}) == DataNamed("crosstab(b)", 1)
    assert named_by_data("transpose", (), {}) == DataNamed("transpose()", 1)
    assert named_by_data("transpose", ("who",), {}) == DataNamed("transpose(who)", 1)
    assert named_by_data("select", ("a",), {}) is None
    assert size_of_keys(("a", ["b", "c"], ("d",))) == 4
