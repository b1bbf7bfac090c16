"""The topics are replayed into a lake."""

from __future__ import annotations

import resource
import time

from bench.landing.process import arguments, found

from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.options import SinkOptions, StorageSettings
from conformare_sink.spark.session import build_session
from conformare_sink.stream.replay import Selection, replay

given = arguments()
spark = build_session("bench", master=given["master"], short_lived=True)
with open_for_writing(folder_tables(given["lake"], StorageSettings()), "the bench"):
    pass  # a lake is made once
options = SinkOptions(
    bootstrap_servers=given["servers"],
    lake=given["lake"],
    topic_prefix=given["prefix"],
    max_messages_per_batch=given["max_messages_per_batch"],
)
start, cpu = time.perf_counter(), time.process_time()
done = replay(spark, options, Selection(), dry_run=given["dry_run"], on_batch=lambda _: None)
found(
    seconds=time.perf_counter() - start,
    cpu=time.process_time() - cpu,
    landed=done.landed,
    repeated=done.repeated,
    # In KiB, as Linux counts.
    python_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
)
