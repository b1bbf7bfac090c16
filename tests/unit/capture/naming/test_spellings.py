"""Names that Spark makes of what was written as text, for sessions that hand out no plan."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare.capture.naming._lists import COLUMN, MANY, NAMED, Item, made_of, marked
from conformare.capture.naming._texts import (
    item_of_text,
    names_in_query,
    names_in_statement_text,
)

IS_BOB = Item(f"(name = {marked('Bob')})", frozenset(("Bob",)))
WORD = Item(marked("Bob"), frozenset(("Bob",)))
NAME = "(name = Bob)"


@pytest.mark.parametrize(
    ("text", "name", "shown"),
    [
        ("name = 'Bob'", NAME, "(name = ?)"),
        ("(t.name = 'Bob')", NAME, "(name = ?)"),
        ("'Bob'", "Bob", "?"),
        ("-91234", "-91234", "?"),
        ("1e3", "1000.0", "?"),
        (
            "count(CASE WHEN name = 'Bob' THEN 1 END)",
            None,
            "count(CASE WHEN (name = ?) THEN 1 END)",
        ),
        ("n > 5 and not n <= 7", "((n > 5) AND (NOT (n <= 7)))", "((n > ?) AND (NOT (n <= ?)))"),
        ("name in ('Bob', 'Al')", "(name IN (Bob, Al))", "(name IN (?, ?))"),
        ("cast('5' as int)", "CAST(5 AS INT)", "CAST(? AS INT)"),
        ("m['Bob']", "m[Bob]", "(expression)"),
        # A field of a struct is no literal.
        ("s['email']", "s.email", None),
        # Spark spells these otherwise than it was thought to.
        ("DATE '2020-01-01'", "DATE '2020-01-01'", "(expression)"),
        ("nvl(name, 'Bob')", "nvl(name, Bob)", "(expression)"),
        ("X'426F62'", "X'426F62'", "(expression)"),
        ("named_struct('Bob', name)", "named_struct(Bob, name)", "(expression)"),
        ("j:Bob", "j:Bob", "(expression)"),
        ("interval 3 days", "INTERVAL '3' DAY", "(expression)"),
        ("name between 'a' and 'c'", "((name >= a) AND (name <= c))", "(expression)"),
        # No parser understands these.
        ("name === 'Bob' ???", NAME, "(expression)"),
        ("name = 'Bob' as b", "b", None),
        ("count(1)", "count(1)", None),
        ("sum(n)", "sum(n)", None),
        ("upper(name)", "upper(name)", None),
        ("coalesce(n, 0)", "coalesce(n, 0)", None),
        ("if(flag, true, false)", "(IF(flag, true, false))", None),
        ("sum(n) over (partition by name)", "sum(n) OVER (…)", None),
        ("explode(array('Bob'))", "col", None),
        ("*", NAME, None),
    ],
)
def test_what_is_shown_of_a_column_written_as_text(
    text: str, name: str | None, shown: str | None
) -> None:
    name = name or text.replace("name = 'Bob'", NAME)
    assert made_of([item_of_text(text)], [name]) == ({} if shown is None else {name: shown})


@pytest.mark.parametrize(
    ("items", "names", "made"),
    [
        ((COLUMN, IS_BOB), ("a", NAME), {NAME: "(name = ?)"}),
        ((COLUMN, IS_BOB), ("a", "(other = Bob)"), {"(other = Bob)": "(expression)"}),
        ((MANY, IS_BOB, NAMED), ("a", "b", NAME, "c"), {NAME: "(name = ?)"}),
        ((IS_BOB, MANY), (NAME, "a(b)", "c"), {NAME: "(name = ?)"}),
        ((MANY, IS_BOB, MANY), ("a", NAME, "c d"), {NAME: "(expression)", "c d": "(expression)"}),
        ((MANY, WORD, MANY), ("a", "Bob", "Bobby"), {"Bob": "?"}),
        ((MANY, NAMED, MANY), ("a(b)", "c", "d"), {}),
        # What does not fit is not trusted.
        ((COLUMN, WORD), ("a", "b", "Bob"), {"Bob": "?"}),
        ((COLUMN, IS_BOB), (NAME,), {NAME: "(expression)"}),
    ],
)
def test_a_column_is_known_by_its_place_in_the_list(
    items: Sequence[Item], names: Sequence[str], made: dict[str, str]
) -> None:
    assert made_of(items, names) == made


@pytest.mark.parametrize(
    ("query", "names", "made"),
    [
        ("select id, name = 'Bob' from t", ["id", NAME], {NAME: "(name = ?)"}),
        ("select *, 'Bob' from t", ["id", "x(y)", "Bob"], {"Bob": "?"}),
        ("select name = 'Bob' from t union select true", [NAME], {NAME: "(name = ?)"}),
        ("from t select name = 'Bob'", [NAME], {NAME: "(name = ?)"}),
        ("select id, (select max(n) + 5 from u) from t", ["id", "scalarsubquery()"], {}),
        ("select id from t where name = 'Bob' order by n = 5", ["id"], {}),
        ("values ('Bob')", ["col1"], {}),
        ("select * from t", ["(a = b)"], {}),
        # It may come from below.
        ("select * from (select name = 'Bob' from t)", ["id", NAME], {NAME: "(expression)"}),
        ("with c as (select 'Bob' from t) select * from c", ["Bob", "id"], {"Bob": "?"}),
        ("with c as (select 'Bob' as `a b` from t) select * from c", ["a b"], {}),
        ("select n as `a b` from (select 'Bob' from t)", ["a b"], {}),
        ("select name = :who from t", [NAME], {NAME: "(expression)"}),
        ("execute immediate 'select ''Bob'''", ["Bob"], {"Bob": "?"}),
        ("this is no SQL, 'Bob' !!", ["id", "Bob", NAME], {"Bob": "?", NAME: "(expression)"}),
    ],
)
def test_what_is_shown_of_the_columns_of_a_query(
    query: str, names: list[str], made: dict[str, str]
) -> None:
    assert names_in_query(query, ["Bob"] if ":who" in query else [], names) == made


def test_what_is_shown_of_the_columns_that_a_statement_has_made() -> None:
    query = "select id, name = 'Bob', 'Al' from t"
    assert names_in_statement_text(f"create view v as {query}", []) == {
        **dict.fromkeys(("Bob", "Al"), "?"),
        "": "(expression)",
    }
    assert names_in_statement_text("create view v as select name = 'Bob' as b from t", []) == {}
    assert names_in_statement_text("no SQL 'Bob' !!", [])["Bob"] == "?"


FORMS = (
    "name = {}",
    "concat(name, {})",
    "count(case when name = {} then {} end)",
    "name in ({}, 'x')",
    "m[{}]",
    "array({})[0]",
    "transform(arr, x -> x = {})",
    "regexp_replace(name, {}, 'y')",
    "name || {}",
    "named_struct({}, 1)",
    "struct({} as a)",
    "sum(n) over (partition by name = {})",
    "date_format(d, {})",
    "get_json_object(j, {})",
    "name like {} escape '!'",
    "{}",
)


@given(st.sampled_from(FORMS), st.text("Q9Z ab'\\%$.(){}", min_size=1))
def test_no_literal_is_in_what_is_shown_of_a_name(form: str, rest: str) -> None:
    """Wherever it stands, and however Spark spells the name that it makes."""
    secret = f"Q9Z{rest}"
    escaped = secret.replace("\\", "\\\\").replace("'", "\\'")
    text = form.replace("{}", f"'{escaped}'")
    name = form.replace("{}", secret)
    for made in (
        made_of([item_of_text(text)], [name]),
        names_in_query(f"select {text} from t", [], [name]),  # noqa: S608 - no database
        names_in_query(f"select * from (select {text} from t)", [], [name]),  # noqa: S608 - as above
    ):
        assert list(made) == [name]
        assert "Q9Z" not in made[name]
