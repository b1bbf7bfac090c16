"""The settings of `conformare export`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from conformare.cli._moments import moment_or_age
from conformare.cli.settings._shared import FleetStore
from conformare_schemas.settings import About


class OpenlineageSettings(FleetStore):
    """Of `conformare export openlineage`."""

    to_url: Annotated[
        str | None,
        About(
            option="--url",
            is_secret=True,
            of_one_call=True,
            has_variable=False,
            metavar="URL|@FILE",
        ),
    ] = Field(
        default=None,
        description="Post events to this server, such as `http://marquez:5000`. The URL may be in a "
        "file, or in CONFORMARE_OPENLINEAGE_URL.",
    )
    url: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None,
        alias="openlineage_url",
        description="Server that `conformare export openlineage` posts events to.",
    )
    api_key: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None,
        alias="openlineage_api_key",
        description="The key that this server asks for, sent as a bearer token.",
    )
    endpoint: Annotated[str, About(option="--endpoint")] = Field(
        default="api/v1/lineage",
        alias="openlineage_endpoint",
        description="Path of the server that takes events of OpenLineage.",
    )
    kafka: Annotated[
        str | None,
        About(option="--kafka", of_one_call=True, has_variable=False, metavar="HOST:PORT,…"),
    ] = Field(
        default=None,
        alias="openlineage_kafka",
        description="Produce events of OpenLineage to a topic of these brokers.",
    )
    topic: Annotated[str, About(option="--topic")] = Field(
        default="openlineage.events",
        alias="openlineage_topic",
        description="The topic of events of OpenLineage.",
    )
    kafka_settings: Annotated[
        Path | None,
        About(option="--kafka-settings", metavar="FILE", default="those of jobs, in `kafka`"),
    ] = Field(
        default=None,
        alias="openlineage_kafka_settings",
        description="File with further settings of librdkafka for these brokers, such as those to "
        "log in with: lines `name=value`.",
    )
    file: Annotated[Path | None, About(of_one_call=True, has_variable=False, metavar="FILE")] = (
        Field(default=None, description="Append the events to this file, one a line.")
    )
    since: Annotated[
        datetime | None,
        About(option="--since", of_one_call=True, has_variable=False, metavar="TIME|SPAN"),
        BeforeValidator(moment_or_age),
    ] = Field(
        default=None,
        alias="export_since",
        description="Not runs that took place before: an ISO 8601 time, or a span such as `7d`.",
    )
    namespace: Annotated[str, About(option="--namespace")] = Field(
        default="conformare",
        alias="openlineage_namespace",
        description="Namespace of the jobs of OpenLineage; a run's environment follows behind a full "
        "stop.",
    )
    tables: Annotated[str, About(option="--tables")] = Field(
        default="catalog",
        alias="openlineage_tables",
        description="Namespace of the tables of catalogs in OpenLineage, such as "
        "`hive://metastore:9083` or `unitycatalog://host`: as your other tools name them.",
    )
    state: Annotated[
        Path | None,
        About(
            option="--state",
            metavar="FILE",
            default="a file in your user's state, for each lake and receiver",
        ),
    ] = Field(
        default=None,
        alias="openlineage_state",
        description="Which runs were sent; a file of its own for each lake and receiver.",
    )
