"""Scripts of a user without Spark: their frames are stand-ins that note how they were called."""

from __future__ import annotations

import itertools
import linecache
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from conformare.capture.source._callsite import Authored, authored_call, users_frame
from conformare.capture.source._functions import function_text

_numbers = itertools.count()


class Frame:
    """Stands for a data frame."""

    def __init__(self, log: list[Authored | None]) -> None:
        self.log = log

    def filter(self, *_: Any, **__: Any) -> Frame:
        """Note what the source says at the call."""
        caller = users_frame(sys._getframe(1))
        self.log.append(authored_call(caller, ("filter",), _is_frame, function_text))
        return Frame(self.log)


def _is_frame(value: Any) -> bool:
    return type(value) is Frame


class Jobs:
    """Runs scripts and makes modules whose files exist in linecache alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.log: list[Authored | None] = []

    def frame(self) -> Frame:
        """Return a frame whose calls are noted in the log."""
        return Frame(self.log)

    def file(self, text: str, name: str | None = None) -> str:
        """Make a file and return its name."""
        name = name or f"/jobs/job_{next(_numbers)}.py"
        lines = [line + "\n" for line in text.splitlines()]
        # As IPython registers its cells: without a time, so that it is never looked for on disk.
        self._monkeypatch.setitem(linecache.cache, name, (len(text), None, lines, name))
        return name

    def run(self, text: str, filename: str | None = None, **names: Any) -> list[str]:
        """Run a script and return the first argument of each call of `df.filter`."""
        self.log.clear()
        namespace = {"__name__": "job", "df": self.frame(), **names}
        exec(compile(text, self.file(text, filename), "exec"), namespace)  # noqa: S102 - the case
        return ["" if call is None else call.args[0] for call in self.log]

    def text(self, text: str, **names: Any) -> str:
        """Run a script and return the one text that all its calls have."""
        (only,) = set(self.run(text, **names))
        return only

    def module(self, name: str, text: str, filename: str | None = None) -> ModuleType:
        """Make a module as if it had been imported."""
        module = ModuleType(name)
        module.__dict__["__file__"] = filename = self.file(text, filename)
        module.__dict__["__package__"] = name.rpartition(".")[0]
        self._monkeypatch.setitem(sys.modules, name, module)
        exec(compile(text, filename, "exec"), module.__dict__)  # noqa: S102 - the case
        return module


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """A place to run scripts."""
    return Jobs(monkeypatch)


@pytest.fixture(scope="module")
def run_job() -> Iterator[Callable[[str], list[str]]]:
    """Run scripts within a property test, which asks for fixtures that many examples can share."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield Jobs(monkeypatch).run
