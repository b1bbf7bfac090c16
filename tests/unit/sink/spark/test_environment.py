"""What goes into an archive for executors; the archive itself runs in the integration tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformare_sink.errors import PackError
from conformare_sink.spark import environment


@pytest.mark.parametrize(
    "left_out",
    [
        "numpy/tests/test_x.py",
        "test/support/x.py",
        "a/__pycache__/x.py",
        "site-packages/a.py",
        "config-3.11-x86_64-linux-gnu/Makefile",
        "lib-dynload/_tkinter.cpython-311-x86_64-linux-gnu.so",
        "pyarrow/libarrow_flight.so.2600",
        "pyarrow/include/arrow/api.h",
        "pyarrow/lib.pyx",
    ],
)
def test_what_no_task_needs_is_left_out(left_out: str) -> None:
    """It would be half of the archive."""
    assert environment._LEFT_OUT.search(left_out)


@pytest.mark.parametrize(
    "kept",
    [
        "numpy/testing/__init__.py",
        "unittest/case.py",
        "lib-dynload/_ctypes.cpython-311-x86_64-linux-gnu.so",
        "numpy/_core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so",
        "pyarrow/libarrow.so.2600",
        "conformare_schemas/v1/runs.avsc",
        "pydantic_core-2.50.4.dist-info/METADATA",
    ],
)
def test_what_only_looks_like_it_is_kept(kept: str) -> None:
    """By the names of what tasks import."""
    assert not environment._LEFT_OUT.search(kept)


def test_what_is_needed_brings_what_it_needs_itself() -> None:
    """As installed here, and nothing that only an extra asks for."""
    found = {one.metadata["Name"].lower().replace("_", "-") for one in environment._needed()}
    assert {*environment.NEEDED, "pydantic-core", "typing-extensions"} <= found
    assert not {"pandas", "pyspark", "pytest", "deltalake"} & found


def test_what_is_not_installed_is_told_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, before anything is written."""
    monkeypatch.setattr(environment, "NEEDED", ("there-is-no-such-thing",))
    with pytest.raises(PackError, match="there-is-no-such-thing is not installed: pip install"):
        environment.pack(tmp_path / "env.tar.gz")
    assert list(tmp_path.iterdir()) == []
