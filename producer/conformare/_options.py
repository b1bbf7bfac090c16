"""The base of every writer's options: frozen, strict about names, silent about values."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

RunRecord = dict[str, list[dict[str, Any]]]
"""What `to_run_record` returns and every writer takes: grain → rows."""


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
