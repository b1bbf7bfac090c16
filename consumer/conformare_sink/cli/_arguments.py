"""Options that several of the sink's commands have; each can be set in the environment too."""

from __future__ import annotations

from typing import Annotated

import typer

BootstrapServers = Annotated[
    str,
    typer.Option(
        "--bootstrap-servers",
        envvar="CONFORMARE_BOOTSTRAP_SERVERS",
        help="Kafka brokers to begin with, host:port separated by commas.",
    ),
]
Lake = Annotated[
    str,
    typer.Option(
        "--lake",
        envvar="CONFORMARE_LAKE",
        help="Folder of the lake: a local path or a URI that Spark can write to.",
    ),
]
TopicPrefix = Annotated[
    str,
    typer.Option(
        "--topic-prefix",
        envvar="CONFORMARE_TOPIC_PREFIX",
        help="Put in front of every grain's topic.",
    ),
]
MaxMessagesPerBatch = Annotated[
    int,
    typer.Option(
        "--max-messages-per-batch",
        envvar="CONFORMARE_MAX_MESSAGES_PER_BATCH",
        min=1,
        help="Most messages that one micro-batch takes from all topics together.",
    ),
]
