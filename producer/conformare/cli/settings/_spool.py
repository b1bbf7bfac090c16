"""The settings of `conformare spool`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from conformare.cli.settings._shared import OPTION_ALONE
from conformare.emission.settings import SpoolFolder, SpoolMaxBytes
from conformare.emission.spool import DEFAULT_MAX_BYTES
from conformare_schemas.settings import (
    About,
    Settings,
)


def _no_file(folder: Path | None) -> Path | None:
    if folder is not None and os.path.isfile(folder):  # noqa: PTH113 - it never raises
        raise ValueError(f"{folder} is a file")
    return folder


class SpoolSettings(Settings):
    """Of every command of `conformare spool`."""

    spool_dir: Annotated[SpoolFolder, AfterValidator(_no_file)] = None


class SpoolListSettings(SpoolSettings):
    """Of `conformare spool list`."""

    json_lines: Annotated[bool, OPTION_ALONE] = Field(
        default=False, alias="json", description="Print all, one JSON object a line."
    )


class RejectedSettings(SpoolSettings):
    """What the refused runs are asked about by."""

    rejected: Annotated[bool, OPTION_ALONE] = Field(
        default=False, description="Also what brokers have refused for good."
    )


class SpoolSendSettings(RejectedSettings):
    """Of `conformare spool send`."""

    bootstrap_servers: Annotated[
        str | None,
        About(of_one_call=True, has_variable=False, default="those that a run was recorded for"),
    ] = Field(
        default=None,
        description="Send to these brokers whatever was recorded; not taken from the environment.",
    )
    topic_prefix: Annotated[
        str | None,
        About(of_one_call=True, has_variable=False, default="the one that a run was recorded for"),
    ] = Field(
        default=None,
        description="Send to topics with this prefix whatever was recorded; not taken from the "
        "environment.",
    )
    timeout_seconds: Annotated[
        float, About(of_one_call=True, has_variable=False, unit="seconds")
    ] = Field(default=60, ge=0, description="How long to try, at most.")


class SpoolExportSettings(RejectedSettings):
    """Of `conformare spool export`."""

    keep: Annotated[bool, OPTION_ALONE] = Field(
        default=False, description="Leave it in the spool as well."
    )


class SpoolImportSettings(SpoolSettings):
    """Of `conformare spool import`."""

    spool_max_bytes: SpoolMaxBytes = DEFAULT_MAX_BYTES
