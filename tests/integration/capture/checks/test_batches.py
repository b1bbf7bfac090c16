"""Frames are handed to Great Expectations without a trace in the user's own use of it."""

from __future__ import annotations

import gc
import importlib
import logging
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from conformare.capture import greatExpectations
from conformare.capture.checks import _batches
from conformare.capture.checks._batches import batch_of


def people() -> Any:
    """Make a frame of pandas, which needs no Spark."""
    return pd.DataFrame({"id": [1, 2, 3], "email": ["a@example.org", "b@example.org", None]})


@pytest.fixture
def frame() -> Any:
    """A frame to check."""
    return people()


@pytest.fixture
def gx() -> Any:
    """Great Expectations, which uses deprecated modules when it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        imported = importlib.import_module("great_expectations")
    logging.captureWarnings(capture=False)
    return imported


@pytest.fixture
def manager(gx: Any) -> Iterator[Any]:
    """What keeps the current project of the process; there is none before and after."""
    factory = f"{gx.__name__}.data_context.data_context.context_factory"
    found = importlib.import_module(factory).project_manager
    found.set_project(None)
    yield found
    found.set_project(None)


def users_project(gx: Any) -> Any:
    """Make a project, which becomes the current one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gx.get_context(mode="ephemeral")


def test_a_frame_of_pandas_is_checked_by_pandas(frame: Any) -> None:
    checks = greatExpectations(
        ("expect_column_values_to_not_be_null", {"column": "email"}),
        ("expect_column_mean_to_be_between", {"column": "id", "min_value": 2.5}),
        ("expect_column_mean_to_be_between", {"column": "email", "min_value": 2.5}),
        ("expect_column_max_to_be_between", {"column": "id", "max_value": 2}),
        ("expect_column_to_exist", {"column": "email"}),
        ("expect_column_values_to_be_unique", {"column": "nothing"}),
    )
    assert [(row.success, row.observed, row.error) for row in checks.evaluate(frame, 1)] == [
        (False, "1 of 3 unexpected", None),
        (False, "2.0", None),
        (None, None, "it could not be evaluated (TypeError)"),
        (False, None, None),
        (True, None, None),
        (None, None, "a column is missing"),
    ]


@pytest.mark.parametrize("result_format", ["BOOLEAN_ONLY", {"result_format": "BOOLEAN_ONLY"}])
def test_the_counts_can_be_left_out(frame: Any, result_format: Any) -> None:
    checks = greatExpectations(
        ("expect_column_values_to_not_be_null", {"column": "email"}), result_format=result_format
    )
    assert [(row.success, row.observed) for row in checks.evaluate(frame, 1)] == [(False, None)]


def test_what_is_no_frame_that_can_be_checked_is_seen() -> None:
    class Table:
        columns = ("id",)

    (row,) = greatExpectations("expect_column_to_exist").evaluate(Table(), 1)
    assert row.success is None
    assert str(row.error).startswith("the frame could not be handed over (")


def test_the_users_project_stays_the_current_one_during_the_checks(
    gx: Any, manager: Any, frame: Any
) -> None:
    project = users_project(gx)
    with batch_of(frame) as batch:
        assert manager.get_current_project() is project
        gxe = importlib.import_module("great_expectations.expectations")
        assert batch.validate(gxe.ExpectColumnValuesToNotBeNull(column="id")).success
    assert manager.get_current_project() is project


def test_a_project_is_replaced_where_a_batch_does_not_know_its_own(
    gx: Any, manager: Any, frame: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_batches, "find_spec", lambda _: None)
    project = users_project(gx)
    with batch_of(frame):
        assert manager.get_current_project() is not project
    assert manager.get_current_project() is project


def test_where_there_was_no_project_there_is_none_afterwards(manager: Any, frame: Any) -> None:
    def evaluate() -> None:
        with batch_of(frame):
            raise KeyError

    with pytest.raises(KeyError):
        evaluate()
    assert manager._ProjectManager__project is None


def test_a_project_that_another_thread_makes_meanwhile_stays(
    gx: Any, manager: Any, frame: Any
) -> None:
    made: list[Any] = []
    with batch_of(frame):
        thread = threading.Thread(target=lambda: made.append(users_project(gx)))
        thread.start()
        thread.join()
    assert manager.get_current_project() is made[0]


FIRST_CHECK = """
import logging
import warnings
import pandas as pd
from conformare.capture import greatExpectations

warnings.simplefilter("error")
before = (list(warnings.filters), warnings.showwarning)
checks = greatExpectations("expect_table_row_count_to_be_between")
(row,) = checks.evaluate(pd.DataFrame({"id": [1]}), 1)
assert row.success, row.error
assert (list(warnings.filters), warnings.showwarning) == before
logging.captureWarnings(True)
assert warnings.showwarning is not before[1], "can no longer be switched on"
"""


def test_the_handling_of_warnings_stays_as_it_was() -> None:
    """Also by the import of Great Expectations, so in a process that has not imported it."""
    subprocess.run([sys.executable, "-c", FIRST_CHECK], check=True)


def test_neither_frame_nor_project_lives_on() -> None:
    frame = people()
    with batch_of(frame) as batch:
        left = [weakref.ref(batch.datasource.data_context), weakref.ref(frame)]
    del batch, frame
    gc.collect()
    assert [reference() is None for reference in left] == [True, True]
