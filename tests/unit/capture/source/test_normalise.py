"""The text of an expression changes with its meaning, not with its spelling, and is readable."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

# Nobody evaluates the body of the lambda, so that it may name anything.
CALL = "df.filter(lambda: ({}))"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("f'a > {THR}'", "_format_('a > ', _value_(5))"),
        ("f'{NL.join(x)}'", "_format_(_value_('\\n'.join(x)))"),
        ("f'{x!r:>{y}}'", "_format_(_value_(x, 'r', format=_format_('>', _value_(y))))"),
        ("'a' f'b' \"c\"", "'abc'"),
        ("f''", "''"),
        ("[k for (k, v) in x]", "[k for [k, v] in x]"),
        ("[k for k, v in x]", "[k for [k, v] in x]"),
        ("{k: v for k in x if k for v in k}", "{k: v for k in x if k for v in k}"),
        ("lambda: 0", "lambda : 0"),
        ("df.filter(1).y + df.z", "_frame_.y + _frame_.z"),
        ("df.filter(1).count()", "_frame_.count()"),
        ("TABLES['a'].y, TABLES['b'], TABLES[0]", "(_frame_.y, TABLES['b'], TABLES[0])"),
        ("PAIR[0].y, PAIR[1], PAIR[2], PAIR['a']", "(_frame_.y, PAIR[1], PAIR[2], PAIR['a'])"),
        ("[df for df in x]", "[df for df in x]"),
    ],
)
def test_an_expression_has_one_readable_text(jobs: Any, expression: str, text: str) -> None:
    script = "THR = 5; NL = '\\n'; TABLES = dict(a=df); PAIR = (df, 2)\n"
    assert jobs.text(script + CALL.format(expression)) == f"lambda : {text}"


STRINGS = st.text(st.characters(exclude_categories=["C"]), max_size=6)


@st.composite
def tokens(draw: st.DrawFn, depth: int = 3) -> list[str]:
    """An expression as a list of tokens; a string is one that begins with a quote."""
    leaf = depth == 0 or draw(st.booleans())
    if leaf:
        kind = draw(st.sampled_from(["string", "number", "name", "column", "frame"]))
        return {
            "string": ["'" + draw(STRINGS)],
            "number": [str(draw(st.integers(0, 99)))],
            "name": [draw(st.sampled_from(["a", "F", "schema"]))],
            "column": ["df", "[", "'" + draw(STRINGS), "]"],
            "frame": ["df", ".", "id"],
        }[kind]
    inner = tokens(depth=depth - 1)
    one, other = draw(inner), draw(inner)
    operator = draw(st.sampled_from(["+", ">", "&", "and", "==", "if"]))
    if operator == "if":
        return ["(", *one, "if", "a", "else", *other, ")"]
    call = ["F", ".", "when", "(", *one, ",", *other, ")"]
    return call if draw(st.booleans()) else ["(", *one, operator, *other, ")"]


def spelled(parts: list[str], frame: str, quote: str, space: str) -> str:
    """Write an expression down in one of many ways."""
    written = []
    for part in parts:
        if part.startswith("'"):
            escaped = part[1:].replace("\\", "\\\\").replace(quote[0], f"\\{quote[0]}")
            written.append(f"{quote}{escaped}{quote}")
        else:
            written.append(frame if part == "df" else part)
    return space.join(written)


@given(
    parts=tokens(),
    frame=st.sampled_from(["d", "flights", "_"]),
    quote=st.sampled_from(["'", '"', "'''", '"""']),
    space=st.sampled_from([" ", "   ", "\n", "\n\n    ", ' # it\'s a "comment"\n', "\\\n"]),
)
def test_layout_quotes_comments_and_names_of_frames_do_not_count(
    run_job: Callable[[str], list[str]], parts: list[str], frame: str, quote: str, space: str
) -> None:
    plain = run_job(CALL.format(spelled(parts, "df", "'", " ")))
    other = run_job(f"{frame} = df\n" + CALL.format(spelled(parts, frame, quote, space)))
    assert plain == other != [""]


@given(one=tokens(), other=tokens())
def test_another_expression_has_another_text(
    run_job: Callable[[str], list[str]], one: list[str], other: list[str]
) -> None:
    scripts = [CALL.format(spelled(parts, "df", "'", " ")) for parts in (one, other)]
    same = ast.dump(ast.parse(scripts[0])) == ast.dump(ast.parse(scripts[1]))
    assert (run_job(scripts[0]) == run_job(scripts[1])) is same


@given(times=st.integers(1, 50))
def test_a_loop_has_the_texts_of_one_turn(run_job: Callable[[str], list[str]], times: int) -> None:
    script = "for group in range({}):\n lowest = group * 2\n df.filter([group, lowest, 3])"
    assert run_job(script.format(times)) == ["[group, lowest, 3]"] * times


def test_a_long_chain_is_followed(jobs: Any) -> None:
    chain = "F.when(a == 1, 'x')" + ".when(a == 2, 'y')" * 100
    assert jobs.text(CALL.format(chain)) == f"lambda : {chain}"


def test_an_expression_too_deep_to_follow_is_left_to_its_arguments(jobs: Any) -> None:
    assert jobs.text(CALL.format("F" + ".when(1)" * 400)) == ""


def test_an_integer_too_long_to_print_is_left_to_the_arguments(jobs: Any) -> None:
    assert jobs.text(f"df.filter(0x{'f' * 5_000})") == ""
