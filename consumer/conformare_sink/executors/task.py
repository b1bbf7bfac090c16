"""What one task does with its part of a batch: it becomes files, which nobody has committed yet.

All rows of a run come from one attempt of one task, for the driver takes what each task has told once.
Files of attempts that were not taken are in no commit, and maintenance removes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from conformare_schemas import grain_table
from conformare_sink.errors import SinkError
from conformare_sink.executors.found import Found
from conformare_sink.executors.reply import reply_of
from conformare_sink.lake.digests import DigestSet, place_digest, run_digest, runs_in
from conformare_sink.lake.purge import ANY_PIPELINE, purged_among
from conformare_sink.lake.store.portable import PortableStorage
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.data_file import new_path, write_file
from conformare_sink.lake.tables.own import PENDING, QUARANTINE, pending_rows, quarantine_rows
from conformare_sink.landing.report import times_of
from conformare_sink.messages.assembly import table_rows
from conformare_sink.messages.decode import decode
from conformare_sink.messages.emission import Decision, RunKey, emission_identity
from conformare_sink.messages.envelope import Rejected
from conformare_sink.messages.framing import SchemaIds, in_one_framing
from conformare_sink.messages.headers import by_producer
from conformare_sink.messages.heads import emission_keys
from conformare_sink.messages.message import Message, messages_of
from conformare_sink.messages.parts import in_parts
from conformare_sink.messages.process import no_garbage_collection, process
from conformare_sink.messages.skipping import Settled
from conformare_sink.spark.portion import PORTION_WEIGHT, Portion, weights_here


class Known(NamedTuple):
    """What the lake says of the runs of a batch, as it was when the batch began: digests of runs."""

    landed: DigestSet
    purged: DigestSet
    """Of those with no pipeline, too: of runs that were purged whatever pipeline they have."""
    waiting: frozenset[bytes]
    """Something of them waits: the driver decides them."""


def digests_of_runs(
    batches: Iterable[pa.RecordBatch],
    topic_prefix: str,
    *,
    for_any_pipeline: bool,
    ids: SchemaIds | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the digests of the runs of some messages.

    Args:
        batches: Messages of the grain `runs`: `MESSAGE_COLUMNS`, and others.
        topic_prefix: Put in front of every grain's topic.
        for_any_pipeline: Whether also those with `ANY_PIPELINE`, by which purged runs are known.
        ids: What a schema registry has told; None where there is no registry.
    """
    for batch in batches:
        messages = in_one_framing(messages_of(pa.Table.from_batches([batch])), ids).messages
        keys = emission_keys(messages, topic_prefix)
        runs = {key.run for key in keys if key is not None}
        # What decodes although its head is written in an unusual way lands like any other.
        odd = [message for message, key in zip(messages, keys, strict=True) if key is None]
        runs |= {RunKey(e.pipeline, e.run_id) for e in decode(odd, topic_prefix).envelopes}
        if for_any_pipeline:
            runs |= {RunKey(ANY_PIPELINE, run.run_id) for run in runs}
        yield pa.record_batch([pa.array(map(run_digest, runs), pa.binary())], names=["digest"])


@dataclass(frozen=True)
class Task:
    """The work of every task of a batch; it is sent to the executors.

    Args:
        storage: Where the files go.
        topic_prefix: Put in front of every grain's topic.
        pipelines: Only runs of these are looked at; none for those of all.
        known: What is known of the runs.
        tells_identities: Whether somebody wants to know which emissions were decided.
        most_bytes: What a task holds at once; each message counts `LEAST_WEIGHT` at least.
        ids: What a schema registry has told; None where there is no registry.
    """

    storage: PortableStorage
    topic_prefix: str
    pipelines: frozenset[str]
    known: Known = field(repr=False)
    tells_identities: bool = False
    most_bytes: int = PORTION_WEIGHT
    ids: SchemaIds | None = field(default=None, repr=False)

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Process a part of the batch.

        Args:
            batches: Its messages, all that there are of each key: `MESSAGE_COLUMNS`, producer,
                sequence, weight, and the number of the part.

        Yields:
            One row, as `reply_of` returns it.
        """
        with no_garbage_collection():
            yield reply_of(self._found(batches))

    def _found(self, batches: Iterable[pa.RecordBatch]) -> Found:
        taken: list[pa.RecordBatch] = []
        weight = 0
        for batch in batches:
            weight += int(weights_here(batch.column("weight").to_numpy()).sum())
            if weight > self.most_bytes:
                return Found(heavy=[batch.column("part")[0].as_py()])
            taken.append(batch)
        if not taken:
            return Found()
        portion = Portion.of_table(pa.Table.from_batches(taken))
        del taken
        try:
            return self._processed(portion, self.storage.open())
        except SinkError as exc:
            return Found(fault=str(exc))

    def _processed(self, portion: Portion, storage: Storage) -> Found:
        found = Found(
            messages=len(portion.messages) + len(portion.too_large),
            sequences=by_producer(portion.sequences),
        )
        rejected = [*portion.too_large]
        for part in in_parts(portion.messages, self.topic_prefix, ids=self.ids):
            rejected += self._land(part, storage, found)
        if rejected:
            rows = quarantine_rows(rejected)
            found.files[QUARANTINE.name].append(write_file(storage, QUARANTINE, new_path(), rows))
            found.rejected = [place_digest(one.message.place) for one in rejected]
        return found

    def _land(self, messages: Sequence[Message], storage: Storage, found: Found) -> list[Rejected]:
        """Write the rows of what is whole, and the messages of what is not; return the rejected."""
        done = process(
            messages,
            self.topic_prefix,
            self._settled,
            self._waits,
            self._is_wanted,
            ids=self.ids,
        )
        found.unresolved |= done.unresolved
        whole = done.decided[Decision.LAND]
        if whole:
            for grain, rows in table_rows(done.decoded, whole.values()).items():
                file = write_file(storage, grain_table(grain), new_path(), rows)
                found.files[grain].append(file)
        found.landed += b"".join(run_digest(key.run) for key in whole)
        times = times_of(key.emission_id for key in whole)
        found.recorded = np.concatenate([found.recorded, times])
        left = {**done.open, **done.decided[Decision.WAIT]}
        for decision in Decision:
            if decision is not Decision.WAIT:
                found.decisions[decision] += len(done.decided[decision])
                if self.tells_identities:
                    found.identities[decision] += map(emission_identity, done.decided[decision])
        if left:
            rows = pending_rows([one for parts in left.values() for one in parts.values()])
            found.files[PENDING.name].append(write_file(storage, PENDING, new_path(), rows))
            found.waiting.append(rows.drop_columns(["value"]))
        return [*done.rejected]

    def _settled(self, runs: Collection[RunKey]) -> Settled:
        known = self.known
        return Settled(runs_in(known.landed, runs), purged_among(runs, known.purged))

    def _waits(self, run: RunKey) -> bool:
        return bool(self.known.waiting) and run_digest(run) in self.known.waiting

    def _is_wanted(self, pipeline: str) -> bool:
        return not self.pipelines or pipeline in self.pipelines
