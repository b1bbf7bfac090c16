"""The work of executors in this process: the same tasks, and nothing of Spark."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from conformare_schemas import topic_name
from conformare_sink.executors.found import Found
from conformare_sink.executors.reply import read_replies
from conformare_sink.executors.task import Known, Task, digests_of_runs
from conformare_sink.lake.digests import DigestSet, run_digest
from conformare_sink.lake.halves import array_of
from conformare_sink.lake.kept.pending import envelopes_of
from conformare_sink.lake.lake import Lake
from conformare_sink.lake.store.portable import portable
from conformare_sink.landing.landing import Landed, Landing
from conformare_sink.landing.place import Offsets
from conformare_sink.messages.message import Message, message_columns
from conformare_sink.spark.dealing import bucket


def land_by_tasks(
    lake: Lake,
    landing: Landing,
    messages: Sequence[Message],
    topic_prefix: str,
    n_parts: int = 2,
    read: Offsets | None = None,
) -> Landed:
    """Land messages as the executors' way does; what no task could hold lands behind.

    Args:
        lake: Where to.
        landing: Lands there.
        messages: A batch.
        topic_prefix: Of its topics.
        n_parts: How many tasks there are.
        read: How far the topics have been read.
    """
    parts: dict[int, list[Message]] = {number: [] for number in range(n_parts)}
    for message in messages:
        parts[bucket(message.key) % n_parts].append(message)
    task = task_for(lake, landing, messages, topic_prefix)
    found = Found()
    for number, those in parts.items():
        # The first attempt is lost with its executor.
        for _ in range(2):
            replies = [*task(as_batches(those, number))]
        found.add(read_replies(pa.Table.from_batches(replies)))
    waiting = [one for rows in found.waiting for one in envelopes_of(rows)]
    landed = landing.land_found(found, waiting, lake, None if found.heavy else read)
    for number in found.heavy:
        landing.land(parts[number])
    if found.heavy:
        landing.land([], read)
    return landed


def task_for(lake: Lake, landing: Landing, messages: Sequence[Message], topic_prefix: str) -> Task:
    """Return what the driver gives to the tasks of a batch."""
    ids = landing._ids()
    runs = [m for m in messages if m.topic == topic_name("runs", topic_prefix)]
    digests = {
        digest
        for rows in digests_of_runs(
            as_batches(runs, 0), topic_prefix, for_any_pipeline=lake.has_purged(), ids=ids
        )
        for digest in rows.column("digest").to_pylist()
    }
    known, purged = lake.settled_digests(array_of(digests))
    waiting = frozenset(map(run_digest, landing.pending.runs()))
    return Task(
        storage=portable(lake.arrivals),
        topic_prefix=topic_prefix,
        pipelines=frozenset(),
        ids=ids,
        known=Known(DigestSet(known), DigestSet(purged), waiting),
    )


def as_batches(messages: Sequence[Message], part: int) -> list[pa.RecordBatch]:
    """Return messages as a task gets them."""
    weights = [len(m.key or b"") + len(m.value or b"") for m in messages]
    nothing = pa.nulls(len(messages), pa.binary())
    columns = {
        **message_columns(messages),
        "producer": nothing,
        "sequence": nothing,
        "weight": pa.array(weights, pa.int64()),
        "part": pa.array([part] * len(messages), pa.int32()),
    }
    return pa.table(columns).to_batches(max_chunksize=7) if messages else []
