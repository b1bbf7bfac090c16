"""Checks run side by side: one that hangs, fails or lacks something hides no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from conformare_schemas.findings import Asked, Finding, Role, State
from conformare_sink.doctor.examination import Check, Look, examine
from conformare_sink.errors import StorageError

ASKED = Asked(Role.SINK, None, "conformare.")


def check(part: str, look: Look) -> Check:
    """A check of a test's own."""
    return Check(part, lambda: look, "the sink needs it")


def well(_: Asked) -> Iterator[Finding]:
    """Nothing is wrong."""
    yield Finding.good("well", "it is")


def test_a_check_that_hangs_is_told_and_what_it_had_found_is_kept() -> None:
    """The others have theirs, in their order, and all of it takes as long as one may."""
    over = threading.Event()

    def hang(_: Asked) -> Iterator[Finding]:
        yield Finding.good("slow", "so far")
        over.wait()

    began = time.monotonic()
    found = list(
        examine([check("slow", hang), check("dead", hang), check("well", well)], ASKED, 0.2)
    )
    over.set()
    assert time.monotonic() - began < 2
    assert [(one.part, one.state) for one in found] == [
        ("slow", State.GOOD),
        ("slow", State.MEND),
        ("slow", State.GOOD),
        ("slow", State.MEND),
        ("well", State.GOOD),
    ]
    assert found[1].line.startswith("slow did not answer within 0.2 s, after the line above: ")


def test_what_hangs_at_once_is_named() -> None:
    """By its place, which is what an operator knows."""
    over = threading.Event()

    def hang(_: Asked) -> Iterator[Finding]:
        over.wait()
        yield Finding.good("dead", "never")

    dead = Check("dead", lambda: hang, "", place="topic_prefix")
    (found,) = examine([dead], ASKED, 0.05)
    over.set()
    assert (found.part, found.state) == ("dead", State.MEND)
    assert found.line.startswith("conformare. did not answer within 0.05 s: look whether it hangs")


def test_an_error_of_ours_is_its_line() -> None:
    """It says what to do."""

    def fail(_: Asked) -> Iterator[Finding]:
        yield Finding.good("lake", "so far")
        raise StorageError("it is full: make room")

    found = list(examine([check("any", fail), check("well", well)], ASKED))
    assert found[1:] == [Finding.mend("lake", "it is full: make room"), *well(ASKED)]


def test_what_is_not_installed_is_named_with_what_needs_it() -> None:
    """That is how a job's machine is; nothing is to be mended."""

    def load() -> Look:
        raise ModuleNotFoundError("No module", name="deltalake._internal")

    (found,) = examine([Check("lake", load, "the sink needs it")], ASKED)
    assert found == Finding.unchecked("lake", "deltalake is not installed; the sink needs it")


def test_a_check_that_fails_by_itself_tells_its_kind_and_no_text_of_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its text may have a secret; deltalake's panics are no Exception."""

    class Panic(BaseException):
        pass

    def fail(_: Asked) -> Iterator[Finding]:
        raise Panic("hunter2")
        yield

    (found,) = examine([check("lake", fail)], ASKED)
    assert (found.part, found.state) == ("lake", State.MEND)
    assert found.line.startswith("the check itself failed (Panic): report it")
    assert "hunter2" not in found.line
    assert caplog.messages == ["the check of lake failed"]
