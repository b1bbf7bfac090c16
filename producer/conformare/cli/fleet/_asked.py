"""What all commands have in common: the store, the filters, and how an error is told."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Generic, TypeVar

from conformare._errors import FleetError
from conformare.cli._moments import tags_of
from conformare.cli.fleet._json import show_json
from conformare.cli.fleet._opening import opened
from conformare.cli.fleet._output import show_line
from conformare.cli.settings import FleetStore
from conformare.fleet import Filters, Fleet
from conformare_schemas.settings.command_line import command_of

Given = TypeVar("Given", bound=FleetStore)


class UnansweredError(Exception):
    """A command has no answer: wrong use, or a store that cannot be read."""

    exit_code = 2


@contextmanager
def unanswered() -> Iterator[None]:
    """End a command with exit code 2 where the fleet has no answer."""
    try:
        yield
    except FleetError as exc:
        raise UnansweredError(str(exc)) from exc


@dataclass
class Asked(Generic[Given]):
    """What a command is asked about.

    Attributes:
        settings: What was given.
    """

    settings: Given

    @property
    def filters(self) -> Filters:
        """Which pipelines; a command has those of the filters that make sense for it."""
        given = {name: getattr(self.settings, name, None) for name in ("pipeline", "env", "owner")}
        return Filters(
            **given,
            tags=tags_of(getattr(self.settings, "tag", ())),
            since=getattr(self.settings, "since", None),
        )

    @property
    def max_age(self) -> timedelta | None:
        """A pipeline whose newest run is older is stale."""
        return getattr(self.settings, "max_age", None)

    @property
    def as_json(self) -> bool:
        """Whether a program reads the answer."""
        return getattr(self.settings, "as_json", False)

    @cached_property
    def fleet(self) -> Fleet:
        """The fleet, opened when it is asked for first: wrong use is told before.

        Raises:
            FleetError: It cannot be read, or has no such pipeline: a name that is misspelt is not
                one about which there is nothing to tell.
        """
        given = self.settings
        fleet = opened(given.lake, given.storage_options, given.table_prefix, self.max_age)
        name = self.filters.pipeline
        if name is not None and all(key.pipeline != name for key in fleet.newest()):
            raise FleetError(f"{fleet.store.place} has no pipeline {name!r}: correct the name")
        return fleet

    @property
    def nothing_fits(self) -> str:
        """What is said where no pipeline is chosen."""
        place = self.fleet.store.place
        return f"no pipeline of {place} fits" if self.fleet.newest() else f"{place} has no runs"

    def wants_table(self, found: Sized, nothing: str) -> bool:
        """Print an answer for a program as JSON, and one that is empty as a line.

        Args:
            found: The answer.
            nothing: What is said of an empty one.

        Returns:
            Whether neither was so: the answer is to be printed as a table.
        """
        if self.as_json:
            show_json(found)
        elif not found:
            show_line(nothing)
        return not self.as_json and bool(found)


def fleet_command(
    settings: type[Given],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what makes a command of a function that takes `Asked` and its own arguments.

    Args:
        settings: What the command can be given.
    """

    def decorate(answer: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(answer)
        def answered(given: Given, **arguments: Any) -> None:
            with unanswered():
                answer(Asked(given), **arguments)

        return command_of(settings)(answered)

    return decorate
