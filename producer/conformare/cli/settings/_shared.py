"""What several commands of this side have."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from conformare.cli._moments import length, moment_or_age, tags_of
from conformare_schemas.settings import (
    LAKE,
    STORAGE_OPTIONS,
    About,
    AsJson,
    Settings,
    TablePrefix,
)

ONE_CALL = About(of_one_call=True)
OPTION_ALONE = About(of_one_call=True, has_variable=False)


def _tags(texts: list[str]) -> list[str]:
    tags_of(texts)
    return texts


class FleetStore(Settings):
    """Where the runs are."""

    # Also the location of a catalog's tables, or the folder of the json or parquet writer.
    lake: Annotated[str, LAKE]
    storage_options: Annotated[
        Path | None, About(metavar="FILE", default="those of the environment"), STORAGE_OPTIONS
    ] = None
    table_prefix: TablePrefix = ""


class OfPipeline(FleetStore):
    """What answers about one pipeline take."""

    pipeline: Annotated[str | None, ONE_CALL] = Field(
        default=None, description="Only this pipeline."
    )


class Printed(Settings):
    """What is printed for people or for programs."""

    as_json: AsJson = False


class Aged(Settings):
    """When a run is old."""

    max_age: Annotated[timedelta | None, About(metavar="SPAN"), BeforeValidator(length)] = Field(
        default=None,
        description="A pipeline whose newest run is older than this, such as `26h`, is stale.",
    )


class OfEnv(OfPipeline):
    """What answers about one environment take."""

    env: Annotated[str | None, ONE_CALL] = Field(default=None, description="Only this environment.")


class Chosen(OfEnv):
    """Which pipelines an answer is about."""

    owner: Annotated[str | None, ONE_CALL] = Field(
        default=None, description="Only pipelines in whose newest run this owner owns something."
    )
    tag: Annotated[
        list[str],
        About(of_one_call=True, has_variable=False, metavar="NAME=VALUE"),
        AfterValidator(_tags),
    ] = Field(
        default=[],
        description="Only pipelines whose newest run has this tag; may be given repeatedly.",
    )


class ChosenSince(Chosen):
    """Which pipelines an answer is about, by their newest run as well."""

    since: Annotated[
        datetime | None,
        About(of_one_call=True, metavar="TIME|SPAN"),
        BeforeValidator(moment_or_age),
    ] = Field(
        default=None,
        description="Only pipelines whose newest run is not older: an ISO 8601 time, or a span such "
        "as `7d`.",
    )
