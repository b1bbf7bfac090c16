"""All checks side by side, each for a bounded time: one that hangs or fails hides no other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

from conformare_schemas.findings import Asked, Finding
from conformare_sink.errors import SinkError

logger = logging.getLogger("conformare_sink")

CHECK_SECONDS = 10.0
"""How long any check may take; all run at the same time."""

Look = Callable[[Asked], Iterator[Finding]]


@dataclass(frozen=True)
class Check:
    """A check that can be made.

    Attributes:
        part: What it looks at, for the line that says that it did not end.
        load: Returns what looks; raises ModuleNotFoundError where what it needs is not installed.
        needs: What that is needed for, and what installs it.
        place: Which of what it is told is the place that it asks.
    """

    part: str
    load: Callable[[], Look]
    needs: str
    place: str = ""


def in_module(name: str) -> Callable[[], Look]:
    """Return what loads the function `look` of a module of this room."""

    def load() -> Look:
        look: Look = import_module(f"conformare_sink.doctor.{name}").look
        return look

    return load


_FOR_SINK = 'what lands runs needs it: pip install "conformare-stream[sink]"'

CHECKS: Sequence[Check] = (
    Check("python", in_module("python"), _FOR_SINK),
    Check("environment", in_module("environment"), _FOR_SINK),
    Check("java", in_module("java"), _FOR_SINK),
    Check(
        "broker",
        in_module("brokers.look"),
        "what reaches brokers needs it: install conformare-stream",
        "bootstrap_servers",
    ),
    Check(
        "registry",
        in_module("registry"),
        'it is needed for a Schema Registry: pip install "conformare-stream[registry]"',
        "registry_url",
    ),
    Check("lake", in_module("lakes.look"), _FOR_SINK, "lake"),
)
"""Those of the sink's side; others are registered in the group `conformare.checks`."""


def examine(
    checks: Sequence[Check], asked: Asked, seconds: float = CHECK_SECONDS
) -> Iterator[Finding]:
    """Make all checks at the same time, and yield what they find in the order of the checks.

    Args:
        checks: The checks.
        asked: What they are told.
        seconds: How long they may take. A check that takes longer is left alone, and what it had
            found by then is kept.
    """
    deadline = time.monotonic() + seconds
    for under_way in [_UnderWay(check, asked) for check in checks]:
        yield from under_way.findings(deadline, seconds)


class _UnderWay:
    """A check that has begun, in a thread that keeps no process from its end."""

    def __init__(self, check: Check, asked: Asked) -> None:
        self._check = check
        self._asked = asked
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._run, name=f"doctor-{check.part}", daemon=True)
        self._thread.start()

    def findings(self, deadline: float, seconds: float) -> list[Finding]:
        """Wait for the end of the check, or for a deadline; return what was found."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        # Whether it is over is asked first: what comes in between is not to be counted twice.
        is_over = not self._thread.is_alive()
        found = list(self._found)
        if not is_over:
            found.append(self._hangs(seconds, found))
        return found

    def _hangs(self, seconds: float, found: Sequence[Finding]) -> Finding:
        part = found[-1].part if found else self._check.part
        place = getattr(self._asked, self._check.place, None) or part
        after = ", after the line above" if found else ""
        line = f"{place} did not answer within {seconds:g} s{after}: look whether it hangs, and call again"
        return Finding.mend(part, line)

    def _run(self) -> None:
        part = self._check.part
        try:
            for finding in self._check.load()(self._asked):
                self._found.append(finding)
                part = finding.part
        except ModuleNotFoundError as exc:
            missing = (exc.name or "").partition(".")[0]
            line = f"{missing} is not installed; {self._check.needs}"
            self._found.append(Finding.unchecked(part, line))
        except SinkError as exc:
            self._found.append(Finding.mend(part, str(exc)))
        except BaseException as exc:
            # Also what deltalake panics with, which is no Exception.
            logger.exception("the check of %s failed", part)
            line = (
                f"the check itself failed ({type(exc).__name__}): report it, with what stands above"
            )
            self._found.append(Finding.mend(part, line))
