"""A name counts by its value only if the source binds it once, to a literal, where Python looks."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare.capture.source._constants import attributes_of, is_users


@pytest.mark.parametrize(
    "script",
    [
        "thr = 5; df.filter(a > thr)",
        "thr: int = 5; df.filter(a > thr)",
        "thr: int\nthr = 5; df.filter(a > thr)",
        "thr = other = 5; df.filter(a > thr)",
        "def run():\n thr = 5\n df.filter(a > thr)\nrun()",
        "def run():\n df.filter(a > thr)\nthr = 5\nrun()",
        "def run():\n thr = 5\n def inner():\n  df.filter(a > thr)\n inner()\nthr = 6\nrun()",
        "def run():\n global thr\n df.filter(a > thr)\nthr = 5\nrun()",
        "def run():\n thr = 6\n def f():\n  global thr\n  df.filter(a > thr)\n f()\nthr = 5\nrun()",
        "class Job:\n thr = 5\n df.filter(a > thr)",
        "class Job:\n thr = 6\n def run(self):\n  df.filter(a > thr)\nthr = 5\nJob().run()",
        "thr = 5\nclass Job:\n thr = 6\n done = [df.filter(a > thr) for _ in 'x']",
        "class Job:\n thr = 5\n [None for _ in [df.filter(a > thr)]]",
        "thr = 5; done = [df.filter(a > thr) for g in 'ab']",
        "thr = 5; (lambda: df.filter(a > thr))()",
        "thr = 5; (lambda x=df.filter(a > thr): x)()",
        "thr = 5; (lambda thr=df.filter(a > thr): thr)()",
        "thr = 5\ndef run(thr=df.filter(a > thr)): return thr",
        "thr = 5\nclass Job(*[df.filter(a > thr)][:0]): thr = 6",
        "thr = 5\ndef run(thr): pass\ndf.filter(a > thr)",
        "thr = 5; [thr for thr in 'ab']; df.filter(a > thr)",
        "thr = 5\nfor g in 'ab':\n df.filter(a > thr)",
        "import asyncio\nasync def run():\n thr = 5\n df.filter(a > thr)\nasyncio.run(run())",
    ],
)
def test_what_is_bound_once_to_a_literal_counts_by_its_value(jobs: Any, script: str) -> None:
    assert jobs.text(script, a=1) == "a > 5"


@pytest.mark.parametrize(
    "script",
    [
        "thr = int('5'); df.filter(thr)",
        "thr = 2 * 3; df.filter(thr)",
        "thr = 5; thr = 5; df.filter(thr)",
        "thr = 5; thr += 1; df.filter(thr)",
        "thr, other = 5, 6; df.filter(thr)",
        "[thr] = [5]; df.filter(thr)",
        "for thr in (5,): df.filter(thr)",
        "thr = 5\nfor thr in (5,): df.filter(thr)",
        "def run(thr=5): df.filter(thr)\nrun()",
        "def run(*thr): df.filter(thr)\nrun()",
        "def run(*, thr): df.filter(thr)\nrun(thr=5)",
        "def run(**thr): df.filter(thr)\nrun()",
        "thr = 6\ndef run(thr): df.filter(thr)\nrun(5)",
        "thr = 6\nrun = lambda thr: df.filter(thr)\nrun(5)",
        "thr = 6\n[df.filter(thr) for thr in (5,)]",
        "thr = 6\n{df.filter(thr) for thr in (5,)}",
        "thr = 6\n{1: df.filter(thr) for thr in (5,)}",
        "thr = 6\nlist(df.filter(thr) for thr in (5,))",
        "(thr := 5); df.filter(thr)",
        "[(thr := 5) for _ in 'x']; df.filter(thr)",
        "thr = 5; del thr; thr = 5; df.filter(thr)",
        "thr = 5\ndef drop():\n global thr\n del thr\ndf.filter(thr)",
        "thr = 5\ndef change():\n global thr\n thr = 6\ndf.filter(thr)",
        "def run():\n thr = 5\n def change():\n  nonlocal thr\n  thr = 6\n df.filter(thr)\nrun()",
        "def run():\n thr = 5\n def f():\n  def g():\n   nonlocal thr\n   thr = 6\n df.filter(thr)\nrun()",
        "import os as thr; df.filter(thr)",
        "from os import sep as thr; df.filter(thr)",
        "class thr: pass\ndf.filter(thr)",
        "import contextlib\nwith contextlib.nullcontext(5) as thr: df.filter(thr)",
        "try: raise ValueError\nexcept ValueError as thr: df.filter(thr)",
        "match 5:\n case thr: df.filter(thr)",
        "match [5]:\n case [*thr]: df.filter(thr)",
        "match {1: 5}:\n case {**thr}: df.filter(thr)",
        "match 5:\n case int() as thr: df.filter(thr)",
        "class X: pass\nX.thr: int\nX.thr = 5; thr = X.thr; df.filter(thr)",
    ],
)
def test_a_name_that_is_bound_in_any_other_way_stays_a_name(jobs: Any, script: str) -> None:
    assert jobs.text(script) == "thr"
    assert jobs.text(f"thr = 6\n{script}") == "thr"


def test_a_name_that_the_source_does_not_bind_stays_a_name(jobs: Any) -> None:
    assert jobs.text("globals()['thr'] = 5; df.filter(thr)") == "thr"


def test_an_attribute_of_an_object_is_no_constant(jobs: Any) -> None:
    script = "class Job:\n thr = 5\n def run(self): df.filter(self.thr)\nJob().run()"
    assert jobs.text(script) == "self.thr"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_a_type_parameter_is_no_constant(jobs: Any) -> None:
    assert jobs.text("thr = 5\ndef run[thr](): df.filter(thr)\nrun()") == "thr"


def test_a_name_that_is_assigned_to_is_not_replaced(jobs: Any) -> None:
    assert jobs.text("x = 5; df.filter([x for x in 'ab'], x)") == "[x for x in 'ab']"
    assert jobs.text("x = 5; df.filter([y for y in [x]])") == "[y for y in [5]]"
    assert jobs.text("x = [5]; df.filter([x for x in x])") == "[x for x in [5]]"
    assert jobs.text("x = 5; df.filter(lambda y, z=x: x + y)") == "lambda y, z=5: 5 + y"
    assert jobs.text("x = 5; df.filter(lambda x: x + 1)") == "lambda x: x + 1"


def test_a_long_constant_is_known_by_a_digest_of_all_of_it(jobs: Any) -> None:
    script = "names = {}; df.filter(names)"
    first, second = (jobs.text(script.format([*range(1_000), last])) for last in (1, 2))
    assert first.startswith("literal:")
    assert len(first) < 30
    assert first != second
    assert jobs.text(script.format([*range(1_000), 1]).replace("names", "columns")) == first


LITERALS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
        | st.sets(st.integers(), min_size=1, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(["thr", "limit", "_x", "größe", "THRESHOLD"])


@given(literal=LITERALS, name=NAMES, local=st.booleans())
def test_a_constant_counts_like_the_literal_in_its_place(
    run_job: Callable[[str], list[str]], literal: Any, name: str, local: bool
) -> None:
    script = f"{name} = {literal!r}\ndf.filter(['a', {name}])"
    if local:
        script = "def run():\n " + script.replace("\n", "\n ") + "\nrun()"
    assert run_job(script) == run_job(f"df.filter(['a', {literal!r}])")


@given(values=st.lists(st.integers() | st.text(max_size=5), min_size=1, max_size=40))
def test_no_value_of_a_run_enters(run_job: Callable[[str], list[str]], values: list[Any]) -> None:
    script = f"""
    for value in {values!r}:
        chosen = str(value)
        df.filter([value, chosen, *[other for other in [value]], (lambda own: own)(value)])
    """
    (text,) = set(run_job(dedent(script)))
    assert text == ("[value, chosen, *[other for other in [value]], (lambda own: own)(value)]")


@pytest.fixture
def shop(jobs: Any) -> types.ModuleType:
    """A module of the user's with constants, two of them from elsewhere."""
    jobs.module("shop", "")
    jobs.module("shop.base", "LOW = 1")
    settings = jobs.module("shop.settings", "THR = 5; NOW = int('5')\nfrom shop.base import LOW")
    assert isinstance(settings, types.ModuleType)
    return settings


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("from shop.settings import THR; df.filter(THR)", "5"),
        ("from shop.settings import THR as limit; df.filter(limit)", "5"),
        ("from shop.settings import *; df.filter(THR)", "5"),
        ("from shop.settings import *; df.filter(OTHER)", "OTHER"),
        ("import shop.settings as s; df.filter(s.THR)", "5"),
        ("import shop.settings; df.filter(shop.settings.THR)", "5"),
        ("import shop.settings; import shop.base; df.filter(shop.settings.THR)", "5"),
        ("from shop import settings; df.filter(settings.THR + 1)", "5 + 1"),
        ("def run():\n from shop.settings import THR\n df.filter(THR)\nrun()", "5"),
        ("from shop.settings import LOW; df.filter(LOW)", "1"),
        ("from shop.settings import NOW; df.filter(NOW)", "NOW"),
        ("import shop.settings as s; df.filter(s.NOW)", "s.NOW"),
        ("import shop.settings as s; df.filter(s.THR.real)", "5 .real"),
        ("import shop.settings as s; s.THR = 6; df.filter(s.THR)", "5"),
        ("import shop.settings as s, shop.base as s; df.filter(s.LOW)", "s.LOW"),
        ("def run(s): df.filter(s.THR)\nimport shop.settings as t; run(t)", "s.THR"),
    ],
)
def test_constants_of_other_modules_count_by_their_value(jobs: Any, script: str, text: str) -> None:
    shop, settings, base = (sys.modules[f"shop{part}"] for part in ("", ".settings", ".base"))
    shop.__dict__.update(settings=settings, base=base)
    settings.__dict__["OTHER"] = 5
    assert jobs.text(script) == text


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("script", "package", "text"),
    [
        ("from .settings import THR; df.filter(THR)", "shop", "5"),
        ("from ..settings import THR; df.filter(THR)", "shop.jobs", "5"),
        ("from . import settings; df.filter(settings.THR)", "shop", "5"),
    ],
)
def test_relative_imports_are_followed(jobs: Any, script: str, package: str, text: str) -> None:
    sys.modules["shop"].__dict__["settings"] = sys.modules["shop.settings"]
    jobs.module("shop.jobs", "")
    names = {"__package__": package, "__name__": f"{package}.job"}
    assert jobs.text(script, **names) == text


def test_an_import_that_failed_is_not_followed(jobs: Any) -> None:
    script = "try: from ...settings import THR\nexcept ImportError: THR\ndf.filter(THR)"
    assert jobs.text(script, __package__="shop", THR=1) == "THR"


def test_modules_without_source_keep_their_names(jobs: Any) -> None:
    native = jobs.module("native", "THR = 5")
    script = "import native; df.filter(native.THR)"
    assert jobs.text(script) == "5"
    for file in (None, "/jobs/nowhere.so", jobs.file("it's not Python")):
        native.__dict__["__file__"] = file
        assert jobs.text(script) == "native.THR"


def test_modules_that_import_from_each_other_end(jobs: Any, shop: types.ModuleType) -> None:
    jobs.file("from shop.settings import A", "/jobs/circle_b.py")
    jobs.file("from circle_b import A", "/jobs/circle_a.py")
    shop.__dict__.update(A=1, __file__="/jobs/circle_a.py")
    sys.modules["shop.base"].__dict__["A"] = 1
    circle = jobs.module("circle_b", "A = 1")
    circle.__dict__["__file__"] = "/jobs/circle_b.py"
    assert jobs.text("from circle_b import A; df.filter(A)") == "A"


@pytest.mark.parametrize(
    "filename", ["/x/site-packages/lib/settings.py", "/x/dist-packages/lib.py", "<frozen lib>"]
)
def test_constants_of_libraries_stay_names(jobs: Any, filename: str) -> None:
    jobs.module("lib", "THR = 5", filename)
    assert jobs.text("from lib import THR; df.filter(THR)") == "THR"
    # A job that is installed as a package itself has its own modules there.
    assert jobs.text("from lib import THR; df.filter(THR)", __name__="lib.job") == "5"


def test_the_standard_library_spark_and_we_are_not_the_users() -> None:
    assert is_users("/jobs/job.py", "job", {})
    assert not is_users(types.__file__, "types", {})
    assert not is_users("/spark/python/pyspark.zip/pyspark/x.py", "pyspark.x", {})
    assert not is_users("/src/conformare/_x.py", "conformare._x", {"__name__": "conformare.y"})


def test_a_module_is_looked_at_without_running_its_code(
    jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lazy(types.ModuleType):
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

    jobs.module("eager", "THR = 5")
    lazy = Lazy("eager")
    types.ModuleType.__getattribute__(lazy, "__dict__").update(sys.modules["eager"].__dict__)
    monkeypatch.setitem(sys.modules, "eager", lazy)
    script = "if False:\n import eager\ndf.filter(lambda x: (eager.THR, eager.df))"
    assert jobs.text(script, eager=lazy) == "lambda x: (5, eager.df)"


def test_own_attributes_are_found_without_running_code() -> None:
    class Plain:
        def __init__(self) -> None:
            self.x = 1

    class Property:
        @property
        def __dict__(self) -> dict[str, Any]:  # type: ignore[override]  # a class of somebody's
            raise AssertionError

    assert attributes_of(Plain()) == {"x": 1}
    assert attributes_of(types.SimpleNamespace(x=1)) == {"x": 1}
    assert attributes_of(Property()) == attributes_of(1) == attributes_of(Plain) == {}
