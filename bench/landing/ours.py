"""The sink catches up with a backlog."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.landing.process import arguments, found

from conformare_sink.landing.report import BatchReport
from conformare_sink.options import SinkOptions
from conformare_sink.spark.session import build_session
from conformare_sink.stream.stream import SinkStream

given = arguments()
# As `conformare sink --once` does.
spark = build_session(
    "bench", master=given["master"], driver_memory=given["driver_memory"], short_lived=True
)
kept = TemporaryDirectory()
options = SinkOptions(
    bootstrap_servers=given["servers"],
    lake=given["lake"],
    checkpoint=Path(kept.name),
    topic_prefix=given["prefix"],
    max_messages_per_batch=given["max_messages_per_batch"],
)
batches: list[BatchReport] = []
start = time.perf_counter()
SinkStream(spark, options, batches.append).run_once()
found(
    seconds=time.perf_counter() - start,
    batches=[batch.seconds for batch in batches],
    runs=sum(batch.rows.get("runs", 0) for batch in batches),
    # In KiB, as Linux counts.
    python_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
)
