"""What all commands have in common: the store's options, the filters, and how an error is told."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from conformare._errors import FleetError
from conformare.cli.fleet import _options as options
from conformare.cli.fleet._json import show_json
from conformare.cli.fleet._opening import opened
from conformare.cli.fleet._output import show_line
from conformare.fleet import Filters, Fleet

FILTERS = ("pipeline", "env", "owner", "tag", "since")
"""Which pipelines an answer is about."""

_TYPES: dict[str, Any] = {
    "lake": options.Lake,
    "storage_options": options.StorageOptions,
    "table_prefix": options.TablePrefix,
    "pipeline": options.Pipeline,
    "env": options.Env,
    "owner": options.Owner,
    "tag": options.Tag,
    "since": options.Since,
    "max_age": options.MaxAge,
    "as_json": options.AsJson,
}
_STORE = ("lake", "storage_options", "table_prefix")
_DEFAULTS = {"lake": inspect.Parameter.empty, "table_prefix": "", "as_json": False}


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
class Asked:
    """What a command is asked about.

    Attributes:
        lake: Where the store is.
        storage_options: File with settings of the store.
        table_prefix: What the tables' folders begin with.
        filters: Which pipelines.
        max_age: A pipeline whose newest run is older is stale.
        as_json: Whether a program reads the answer.
    """

    lake: str
    storage_options: Path | None
    table_prefix: str
    filters: Filters
    max_age: timedelta | None = None
    as_json: bool = False

    @cached_property
    def fleet(self) -> Fleet:
        """The fleet, opened when it is asked for first: wrong use is told before.

        Raises:
            FleetError: It cannot be read, or has no such pipeline: a name that is misspelt is not
                one about which there is nothing to tell.
        """
        fleet = opened(self.lake, self.storage_options, self.table_prefix, self.max_age)
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
    *shared: str,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what makes a command of a function that takes `Asked` and its own options.

    The command's options are those of the store, the shared ones, and the function's own.

    Args:
        shared: Names of filters, `max_age` and `as_json`.
    """
    names = (*_STORE, *shared)

    def decorate(answer: Callable[..., None]) -> Callable[..., None]:
        parameters = inspect.signature(answer, eval_str=True).parameters
        own = [parameter for name, parameter in parameters.items() if name != "asked"]

        @functools.wraps(answer)
        def command(**values: Any) -> None:
            options.require_texts(values)
            given = {name: values.pop(name) for name in names}
            tags = options.tags_of(given.get("tag") or ())
            filters = {name: given.get(name) for name in FILTERS if name != "tag"}
            asked = Asked(
                lake=given["lake"],
                storage_options=given["storage_options"],
                table_prefix=given["table_prefix"],
                filters=Filters(tags=tags, **filters),
                max_age=given.get("max_age"),
                as_json=given.get("as_json", False),
            )
            with unanswered():
                answer(asked, **values)

        keywords = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=_DEFAULTS.get(name),
                annotation=_TYPES[name],
            )
            for name in names
        ]
        ordered = [
            *keywords,
            *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own),
        ]
        # typer asks inspect, which looks here first; types of functions do not name the attribute.
        command.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in ordered}
        return command

    return decorate
