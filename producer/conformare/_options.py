"""The base of every writer's options: frozen, strict about names, silent about values."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from conformare._errors import StoreConfigurationError
from conformare._run_writer import ENVIRONMENT_PREFIX


class WriterOptions(BaseModel):
    """Options of one writer; each can be given as `CONFORMARE_<NAME>` in the environment too."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        # An option may hold a secret: a message about it never quotes it.
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )

    writer: str
    warn_on_source: bool = False
    """Whether a captured read of a location warns of the risks that recorded runs bring to it."""


Options = TypeVar("Options", bound=WriterOptions)


def made_options(model: type[Options], writer: str, config: Mapping[str, Any]) -> Options:
    """Make the options of a writer.

    Args:
        model: What they are.
        writer: Name of the writer.
        config: Those that are given; what is not is taken from the environment,
            `CONFORMARE_<NAME>`, a structured value as JSON.

    Raises:
        StoreConfigurationError: One of them is unknown, missing or does not fit.
    """
    known = [field.alias or key for key, field in model.model_fields.items()]
    unknown = [
        told_name(name, number, known) for number, name in enumerate(config, 1) if name not in known
    ]
    if unknown:
        raise StoreConfigurationError(
            f"unknown option {', '.join(unknown)} for the writer {writer!r}; "
            f"its options are {', '.join(known)}"
        )
    try:
        return model.model_validate({**_from_environment(known), **config, "writer": writer})
    except ValidationError as exc:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or writer}: {fault['msg']}"
            for fault in exc.errors()
        )
        raise StoreConfigurationError(f"the writer {writer!r} cannot be made: {faults}") from exc


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


def _from_environment(options: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option in options:
        name = f"{ENVIRONMENT_PREFIX}{option.upper()}"
        text = os.environ.get(name, "").strip()
        if text.startswith("{"):
            try:
                found[option] = json.loads(text)
            except json.JSONDecodeError as exc:
                # Not what it says: the text may hold a secret.
                raise StoreConfigurationError(f"{name} is not JSON (at {exc.pos})") from None
        elif text:
            found[option] = text
    return found
