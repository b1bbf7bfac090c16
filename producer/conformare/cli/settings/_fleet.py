"""The settings of the answers and pages of `conformare fleet`."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from conformare.cli._moments import last_moment
from conformare.cli.settings._shared import (
    ONE_CALL,
    OPTION_ALONE,
    Aged,
    ChosenSince,
    FleetStore,
    OfEnv,
    OfPipeline,
    Printed,
)
from conformare.fleet._defaults import DEFAULT_PORT, DEFAULT_TITLE
from conformare_schemas.settings import About


def _no_folder(file: Path) -> Path:
    if os.path.isdir(file):  # noqa: PTH112 - it never raises
        raise ValueError(f"{file} is a directory")
    return file


class ListSettings(Printed, ChosenSince):
    """Of a list of the fleet."""


class StatusSettings(Printed, Aged, ChosenSince):
    """Of `conformare fleet status`."""


class DriftSettings(ListSettings):
    """Of `conformare fleet drift`."""

    show_settled: Annotated[bool, OPTION_ALONE] = Field(
        default=False,
        alias="all",
        description="Also those whose risks have changed since, or that were acknowledged.",
    )


class SensitiveSettings(ListSettings):
    """Of `conformare fleet sensitive`."""

    as_of: Annotated[
        datetime | None,
        About(of_one_call=True, has_variable=False, metavar="TIME"),
        BeforeValidator(last_moment),
    ] = Field(
        default=None,
        description="By the newest runs of this time; of a date, by those of the end of its day.",
    )


class ImpactSettings(Printed, OfEnv):
    """Of `conformare fleet impact`."""

    run_id: Annotated[str | None, About(of_one_call=True, has_variable=False, metavar="RUN_ID")] = (
        Field(default=None, alias="run", description="From what this run wrote.")
    )
    location: Annotated[str | None, OPTION_ALONE] = Field(
        default=None, description="From this location, in any spelling."
    )
    upstream: Annotated[bool, OPTION_ALONE] = Field(
        default=False, description="Against the flow: what it is made from."
    )


class ShowSettings(Printed, OfPipeline):
    """Of `conformare fleet show`."""


class ReportSettings(Aged, ChosenSince):
    """Of `conformare fleet report`."""

    output: Annotated[
        Path, About(of_one_call=True, short="-o", metavar="FILE"), AfterValidator(_no_folder)
    ] = Field(default=Path("fleet.html"), description="The file to write.")
    title: Annotated[str, ONE_CALL] = Field(
        default=DEFAULT_TITLE, description="Heading of the report."
    )


class ServeSettings(Aged, FleetStore):
    """Of `conformare fleet serve`."""

    host: Annotated[str, About(option="--host")] = Field(
        default="127.0.0.1",
        alias="fleet_host",
        description="Address to listen on; any other than loopback needs a token.",
    )
    port: Annotated[int, About(option="--port")] = Field(
        default=DEFAULT_PORT,
        alias="fleet_port",
        ge=0,
        le=65535,
        description="Port of the pages; 0 for any free one.",
    )
    token: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None, alias="fleet_token", description="The token that opens the pages."
    )
    token_file: Annotated[
        Path | None, About(option="--token-file", metavar="FILE", default="no token")
    ] = Field(
        default=None,
        alias="fleet_token_file",
        description="File whose first line is the token that opens the pages; or set "
        "CONFORMARE_FLEET_TOKEN.",
    )
    allow_host: Annotated[
        list[str], About(of_one_call=True, has_variable=False, metavar="NAME")
    ] = Field(
        default=[], description="A name that the server is reached by; may be given repeatedly."
    )


class AcknowledgeSettings(OfPipeline):
    """Of `conformare fleet acknowledge`."""

    by: Annotated[str, About(of_one_call=True, has_variable=False, metavar="NAME")] = Field(
        description="Who has reviewed it."
    )
    note: Annotated[str, About(of_one_call=True, has_variable=False, metavar="TEXT")] = Field(
        description="What they say of it."
    )
