"""The bench's jobs that emit one event a run with openlineage-python, through Kafka."""

from __future__ import annotations

import os
import time
from typing import Any

from bench.emission.jobs.job import await_go, say, serve
from bench.emission.jobs.runs import WARM_UP_CALLS, numbered
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import schema_dataset
from openlineage.client.serde import Serde

NAMESPACE = "bench"
COLUMNS = ("order_id", "customer", "email", "amount", "currency", "ordered_at", "country")
INPUTS, OUTPUTS = 4, 2
WARM_UP = 10**6
"""From this number on, runs are no part of what is measured."""


def main() -> None:
    """Run one of the jobs."""
    serve({"latency": latency, "leave": leave})


def latency(calls: int, pause_seconds: float, servers: str, topic: str) -> None:
    """Tell how long each call of `emit` takes; the event is made before."""
    client = _client(servers, topic)
    for number in range(WARM_UP_CALLS):
        client.emit(_event(WARM_UP + number))
    await_go()
    seconds = []
    for number in range(calls):
        event = _event(number)
        start = time.perf_counter()
        client.emit(event)
        seconds.append(time.perf_counter() - start)
        time.sleep(pause_seconds)
    say(seconds=seconds, size=len(Serde.to_json(event)))
    os._exit(0)


def leave(runs: int, servers: str, topic: str, **transport: Any) -> None:
    """Emit events, and end the process as soon as the last call has returned."""
    client = _client(servers, topic, **transport)
    client.emit(_event(WARM_UP))
    of_kafka: Any = client.transport
    of_kafka.wait_for_completion()
    await_go()
    for number in range(runs):
        client.emit(_event(number))
    os._exit(0)


def _client(servers: str, topic: str, **transport: Any) -> OpenLineageClient:
    # As its documentation says; whatever it does not ask for is left as it is.
    return OpenLineageClient(
        config={
            "transport": {
                "type": "kafka",
                "config": {"bootstrap.servers": servers},
                "topic": topic,
                **transport,
            }
        }
    )


def _event(number: int) -> RunEvent:
    schema = schema_dataset.SchemaDatasetFacet(
        fields=[
            schema_dataset.SchemaDatasetFacetFields(
                name=column, type="string", description=f"the {column} as the shop wrote it"
            )
            for column in COLUMNS
        ]
    )
    return RunEvent(
        eventType=RunState.COMPLETE,
        eventTime="2026-01-02T03:04:05.000006Z",
        run=Run(runId=numbered(number)),
        job=Job(namespace=NAMESPACE, name="orders"),
        inputs=[
            InputDataset("s3a://lake", f"bronze/table_{place}", facets={"schema": schema})
            for place in range(INPUTS)
        ],
        outputs=[
            OutputDataset("s3a://lake", f"silver/orders_{place}", facets={"schema": schema})
            for place in range(OUTPUTS)
        ],
        producer="https://example.com/bench",
    )


if __name__ == "__main__":
    main()
