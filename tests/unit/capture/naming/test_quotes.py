"""Literals of SQL are read as Spark reads them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare.capture.naming._quotes import quoted_in, says_all, without_escapes


@pytest.mark.parametrize(
    "written",
    [
        "'Smith'",
        "'Smi' 'th'",
        "\"Smi\"\n'th'",
        "'Smi' /* it's */ 'th'",
        "'Smi' -- it's\n 'th'",
        "r'Smith'",
        "R'Smi' 'th'",
        "'S\\mith'",
        "'\\u0053mith'",
        "'\\U00000053mith'",
        "'Sm\\151th'",
    ],
)
def test_a_word(written: str) -> None:
    assert list(quoted_in(f"begin select {written}; end")) == ["Smith"]
    assert without_escapes(f"select {written} x") == "select 'Smith' x"


@pytest.mark.parametrize(
    ("written", "literal"),
    [
        ("'it''s'", "it's"),
        ("'it\\'s'", "it's"),
        ('"""x"', '"x'),
        ("r'a\\n'", "a\\n"),
        ("'a\\\\n'", "a\\n"),
        ("'a\\%\\_b'", "a\\%\\_b"),
        ("'\\UFFFFFFFF'", "\\UFFFFFFFF"),
        ("'\\u00e9\\t'", "é\t"),
    ],
)
def test_escapes(written: str, literal: str) -> None:
    assert next(quoted_in(written)) == literal


def test_what_is_quoted_in_a_literal_is_found_and_a_name_in_backticks_is_none() -> None:
    text = "execute immediate 'select ''Bob'' ''by'', `it''s`'"
    assert "Bobby" in quoted_in(text)
    assert list(quoted_in("select `a 'b'`, bar'c'")) == ["c"]


@given(st.text())
def test_a_literal_says_the_same_without_its_escapes(value: str) -> None:
    written = without_escapes("'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'")
    assert without_escapes(written) == written
    assert re.sub(r"\\(.)", r"\1", written[1:-1], flags=re.DOTALL) == value


@pytest.mark.parametrize(
    ("text", "all_is_said"),
    [
        ("begin select 1; end", True),
        ("execute immediate 'select * from x'", True),
        ("EXECUTE  IMMEDIATE 'select ?' 'from x' USING 1, 'Smith' AS b;", True),
        ("begin execute immediate 'select 1'; select 2; end", True),
        ("select 'execute immediate x'", True),
        ("execute immediate said", False),
        ("execute immediate 'select ?' using said", False),
        ("execute immediate 'select ' || said", False),
        ("execute immediate concat('select ', 'x')", False),
        ("begin execute immediate 'select 1'; execute immediate said; end", False),
    ],
)
def test_whether_a_text_has_all_that_its_rows_are_made_by(text: str, all_is_said: bool) -> None:
    assert says_all(text) is all_is_said
