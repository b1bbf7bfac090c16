"""The base of every writer's options, and where those come from that a call does not give."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from conformare._errors import StoreConfigurationError
from conformare_schemas.settings import (
    About,
    Definition,
    InForce,
    Settings,
    SettingsError,
    config_file,
    definitions,
    in_force,
    told,
)

logger = logging.getLogger("conformare")


JobsSession = Annotated[
    Any,
    About(of_job_only=True),
    Field(description="The job's `SparkSession`, for the table writer, or to read the lake with."),
]


class WriterOptions(Settings):
    """Options of one writer."""

    writer: Annotated[str, About(default="the table writer")] = Field(
        description="Where a job records its runs: `kafka`, `spark_table`, `json`, `parquet` or "
        "`none`; in Python also a function."
    )
    warn_on_source: bool = Field(
        default=False,
        description="Whether a captured read of a location warns of the risks that recorded runs "
        "bring to it.",
    )


Options = TypeVar("Options", bound=WriterOptions)


def made_options(model: type[Options], writer: str, config: Mapping[str, Any]) -> Options:
    """Make the options of a writer.

    Args:
        model: What they are.
        writer: Name of the writer.
        config: Those that are given; what is not is taken from the environment,
            `CONFORMARE_<NAME>`, a structured value as JSON, else from the configuration file.

    Raises:
        StoreConfigurationError: One of them is unknown, missing or does not fit.
    """
    known = definitions(model)
    names = [one.name for one in known]
    unknown = [
        told_name(name, number, names) for number, name in enumerate(config, 1) if name not in names
    ]
    if unknown:
        raise StoreConfigurationError(
            f"unknown option {', '.join(unknown)} for the writer {writer!r}; "
            f"its options are {', '.join(names)}"
        )
    found = {one.name: given(one) for one in known if one.name not in config}
    outside = {name: one.value for name, one in found.items() if one.origin != "default"}
    try:
        return model.model_validate({**outside, **config, "writer": writer})
    except ValidationError as exc:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or writer}: {told(fault)}" for fault in exc.errors()
        )
        raise StoreConfigurationError(f"the writer {writer!r} cannot be made: {faults}") from exc


def given(setting: Definition) -> InForce:
    """Return what the environment or the configuration file says of an option.

    Raises:
        StoreConfigurationError: It cannot be read.
    """
    try:
        found = in_force(setting)
    except SettingsError as exc:
        raise StoreConfigurationError(str(exc)) from exc
    if found.origin != "environment":
        return found
    text = found.value.strip()
    if not text.startswith("{"):
        return InForce(text, found.origin)
    try:
        return InForce(json.loads(text), found.origin)
    except json.JSONDecodeError as exc:
        # Not what it says: the text may hold a secret.
        raise StoreConfigurationError(f"{setting.variable} is not JSON (at {exc.pos})") from None


def given_writer() -> str | None:
    """Return the writer that the environment or the configuration file names; None for none.

    Raises:
        StoreConfigurationError: The file cannot be used.
    """
    writer = next(one for one in definitions(WriterOptions) if one.name == "writer")
    name: str | None = given(writer).value
    return name


def warn_of_secrets() -> None:
    """Log where the configuration file has secrets that others can read.

    Raises:
        StoreConfigurationError: The file cannot be used.
    """
    try:
        file = config_file()
    except SettingsError as exc:
        raise StoreConfigurationError(str(exc)) from exc
    warning = None if file is None else file.warning()
    if warning is not None:
        logger.warning("conformare: %s", warning)


def told_name(name: str, number: int, known: Sequence[str]) -> str:
    """Return how an error tells of a name that is not known.

    It is never quoted, even where it is like one that is known: it may be a secret in its place.

    Args:
        name: The name.
        number: Its place among those given.
        known: The names that there are.
    """
    alike = get_close_matches(name.lower(), known, n=1, cutoff=0.55)
    hint = f"; did you mean {alike[0]}?" if alike else ""
    return f"(number {number} of those given{hint})"
