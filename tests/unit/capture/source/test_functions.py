"""A function of the user's counts by what it does, wherever its name stands in an argument."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

import pytest

from conformare.capture.source import _functions
from conformare.capture.source._functions import function_text

CLEAN = """
def clean(parts):
    for part in parts:
        yield part[part["a"] > 5]
"""
CLEAN_IN_ANOTHER_LAYOUT = '''
def clean( parts : list ) -> "Iterator" :
    """Keep what is large enough."""
    part : list  # of the parts
    for part in parts :
        yield (part[ part['a']
                     > 5 ])
'''
POSITIONS = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 does not know the columns of code"
)


def text_of_f(jobs: Any, definition: str) -> str:
    """Return what `f` is in an argument after a definition."""
    text: str = jobs.text(f"{definition}\ndf.filter(f)")
    return text


@pytest.mark.parametrize(
    "definition",
    [
        CLEAN.replace("clean", "f"),
        CLEAN_IN_ANOTHER_LAYOUT.replace("clean", "f"),
        f"LOWEST = 5{CLEAN.replace('clean', 'f').replace('> 5', '> LOWEST')}",
        f"def lowest():\n return 5\n{CLEAN}f = clean",
        f"def make():\n{CLEAN.replace(chr(10), chr(10) + '  ')}\n  return clean\nf = make()",
    ],
)
def test_a_function_counts_by_its_body_alone(jobs: Any, definition: str) -> None:
    assert text_of_f(jobs, definition) == jobs.text(f"{CLEAN}\ndf.filter(clean)")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(x):\n return x", "def f(y):\n return y"),
        ("def f(x):\n return x", "def f(x, y=1):\n return x"),
        ("def f(x):\n return x", "async def f(x):\n return x"),
        ("def f(x):\n return x", "def f(x):\n 'one'; 'two'\n return x"),
        ("def f(x):\n return [x]", "def f(x):\n return (x,)"),
        ("def f(x):\n return 1", "def f(x):\n return True"),
        ("def f(x):\n return 1", "def f(x):\n return None"),
        ("def f(x):\n return 1", "def f(x):\n return f'{1}'"),
        ("def f(x):\n y: int = 1", "def f(x):\n y: int = 2"),
        ("L = 1\ndef f(x):\n return L", "L = 2\ndef f(x):\n return L"),
        ("def f(x, y=1):\n return x", "def f(x, y=2):\n return x"),
        ("f = lambda x: x", "f = lambda x: x + 1"),
        ("def f(x): return f(x)", "def f(x): return g(x)"),
    ],
)
def test_another_body_is_another_function(jobs: Any, one: str, other: str) -> None:
    assert text_of_f(jobs, one) != text_of_f(jobs, other)


def test_the_name_of_a_constant_within_a_function_does_not_count(jobs: Any) -> None:
    one = text_of_f(jobs, "def f(x):\n low = 5\n return x > low")
    assert text_of_f(jobs, "def f(x):\n limit = 5\n return x > limit") == one
    assert text_of_f(jobs, "def f(x):\n limit = 6\n return x > limit") != one


def test_a_function_that_calls_itself_has_no_name_either(jobs: Any) -> None:
    one = jobs.text("def one(x): return one(x - 1)\ndf.filter(one)")
    assert one == jobs.text("def other(x): return other(x - 1)\ndf.filter(other)")


def test_functions_that_a_function_calls_are_not_followed(jobs: Any) -> None:
    definition = "def g(x): return {}\ndef f(x): return g(x)"
    one, other = (text_of_f(jobs, definition.format(number)) for number in (1, 2))
    assert one == other


def test_a_function_is_known_wherever_its_name_stands(jobs: Any) -> None:
    jobs.module("shop", "")
    steps = jobs.module("shop.steps", CLEAN)
    text = jobs.text(f"{CLEAN}df.filter(clean)")
    assert jobs.text("import shop.steps as s; df.filter([s.clean, 1])") == f"[{text}, 1]"
    assert jobs.text("from shop.steps import clean as c; df.filter(c)") == text
    assert jobs.text("df.filter(lambda x: f(x))", f=steps.clean) == f"lambda x: {text}(x)"
    assert jobs.text("df.filter(lambda f: f(1))", f=steps.clean) == "lambda f: f(1)"


def test_a_method_counts_by_its_body(jobs: Any) -> None:
    script = "class Job:\n{}\n def run(self): df.filter(self.f, Job.f)\nJob().run()"
    plain = jobs.text(script.format(" def f(self, x): return x"))
    assert plain.startswith("function:")
    assert jobs.text(script.format(" def f(self, x): return x + 1")) != plain
    for decorator in ("staticmethod", "classmethod"):
        decorated = jobs.text(script.format(f" @{decorator}\n def f(x): return x"))
        assert decorated.startswith("function:")
    held = "class Job:\n def f(self, x): return x\nf = Job().f\ndf.filter(f)"
    assert jobs.text(held) == plain


def test_a_property_is_not_run(jobs: Any) -> None:
    script = (
        "class Job:\n done = []\n @property\n def f(self): self.done.append(1)\n"
        "job = Job()\ndf.filter(lambda x: job.f)\ndf.filter(job.done)"
    )
    assert jobs.run(script) == ["lambda x: job.f", "job.done"]
    assert jobs.log[0] is not None


def test_of_functions_that_wrap_one_another_the_innermost_counts(jobs: Any) -> None:
    wrapped = (
        "import functools\ndef logged(g):\n @functools.wraps(g)\n"
        " def inner(*args): return g(*args)\n return inner\n@logged\ndef f(x): return {}"
    )
    one, other = (text_of_f(jobs, wrapped.format(number)) for number in (1, 2))
    assert one != other
    assert text_of_f(jobs, wrapped.format(1)) == one


def test_a_wrapper_of_a_library_shows_the_users_function(jobs: Any) -> None:
    def of(name: str) -> str:
        filename = f"/x/site-packages/{name}.py"
        text = (
            "def udf(f):\n def wrapper(x): return f(x)\n wrapper.__wrapped__ = f\n return wrapper"
        )
        jobs.module(name, text, filename)
        script = f"from {name} import udf\n{CLEAN}g = udf(clean)\ndf.filter(g('a'))"
        return str(jobs.text(script))

    assert of("lib") == f"{jobs.text(CLEAN + 'df.filter(clean)')}('a')"


def test_wrappers_that_wrap_each_other_end(jobs: Any) -> None:
    assert text_of_f(jobs, "def f(x): return x\nf.__wrapped__ = f").startswith("function:")
    assert text_of_f(jobs, "def f(x): return x\nf.__wrapped__ = 1").startswith("function:")


def test_functions_of_libraries_keep_their_names(jobs: Any) -> None:
    jobs.module("lib", "def f(x): return x", "/x/site-packages/lib.py")
    script = "import lib, os\nfrom lib import f\ndf.filter([f, lib.f, os.path.join, len])"
    assert jobs.text(script) == "[f, lib.f, os.path.join, len]"
    assert function_text(os.path.join, {}) is None


def test_named_lambdas_are_told_apart(jobs: Any) -> None:
    f = text_of_f(jobs, "f = lambda x: x")
    assert f.startswith("function:")
    assert text_of_f(jobs, "g = lambda x: x\nf = g") == f
    assert text_of_f(jobs, "f = (\n  lambda x: (\n    x\n  )\n)") == f


@POSITIONS
def test_lambdas_of_one_line_are_told_apart(jobs: Any) -> None:
    f = text_of_f(jobs, "f = lambda x: x")
    g = text_of_f(jobs, "f = lambda x: lambda: x + 1")
    assert text_of_f(jobs, "f, g = (lambda x: x), (lambda x: lambda: x + 1)") == f
    assert text_of_f(jobs, "g, f = (lambda x: x), (lambda x: lambda: x + 1)") == g
    assert text_of_f(jobs, "f = (lambda y: lambda x: x)(1)") == f


def test_lambdas_that_cannot_be_told_apart_count_by_their_code(
    jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_functions, "_holds", lambda *_: False)
    two = "f, g = (lambda x: {}), (lambda x: 2)"
    one, other = (text_of_f(jobs, two.format(number)) for number in (3, 4))
    assert one.startswith("code:")
    assert one != other


def test_each_function_that_a_variable_holds_is_another_step(jobs: Any) -> None:
    script = (
        "def one(x): return 1\ndef two(x): return 2\n"
        "def apply(f): df.filter(f)\n"
        "for f in [one, two, one]: apply(f)\n"
        "df.filter(one)\ndf.filter(two)"
    )
    one, two, again, by_name, by_other_name = jobs.run(script)
    assert one == again == by_name
    assert two == by_other_name != one


def test_what_a_call_names_for_good_is_read_once(
    jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    original = _functions._users_function

    def counting(value: Any, namespace: dict[str, Any]) -> Any:
        function = original(value, namespace)
        asked.extend([] if function is None else [function])
        return function

    monkeypatch.setattr(_functions, "_users_function", counting)
    call = "for _ in range(5): df.filter(f)"
    jobs.run(f"def f(x): return x\n{call}")
    jobs.module("steps", "def f(x): return x")
    jobs.run(f"from steps import f\n{call}")
    assert len(asked) == 2


def test_a_function_without_source_counts_by_its_code(jobs: Any) -> None:
    def made(text: str) -> str:
        namespace: dict[str, Any] = {}
        exec(compile(text, "<string>", "exec"), namespace)  # noqa: S102 - the case
        return str(jobs.text("df.filter(f)", f=namespace["f"]))

    body = "def {}(x):\n y = [z for z in x if z in {{'a', 'b', 'c'}}]\n return y, (1, 'a'), {}"
    one = made(body.format("f", 1))
    assert one.startswith("code:")
    assert made(body.format("g", 1) + "\nf = g").startswith("code:")
    assert made("\n\n" + body.format("f", 1)) == one
    assert made(body.format("f", 2)) != one
    assert made(body.replace("'b'", "'d'").format("f", 1)) != one
    assert made(body.replace("z for z", "-z for z").format("f", 1)) != one


def test_a_function_that_cannot_be_followed_counts_by_its_code(jobs: Any) -> None:
    deep = "def f(x): return " + "-" * 600 + "x"
    assert text_of_f(jobs, deep).startswith("code:")
    long = f"def f(x): return 0x{'f' * 5_000}"
    assert text_of_f(jobs, long).startswith("code:")


def test_functions_that_are_gone_leave_nothing_behind(jobs: Any) -> None:
    gc.collect()
    before = len(_functions._functions)
    for number in range(20):
        assert text_of_f(jobs, f"def f(x): return {number}").startswith("function:")
    gc.collect()
    assert len(_functions._functions) <= before + 1


def test_a_partial_shows_its_function(jobs: Any) -> None:
    script = f"from functools import partial\n{CLEAN}df.filter(partial(clean, 1))"
    text = jobs.text(f"{CLEAN}df.filter(clean)")
    assert jobs.text(script) == f"partial({text}, 1)"
