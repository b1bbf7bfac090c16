"""The ceiling: Spark appends the same topics, undecoded, to one Delta table."""

from __future__ import annotations

import time

from bench.landing.process import arguments, found

from conformare_sink.kafka.source import KafkaSource
from conformare_sink.kafka.topics import Topics
from conformare_sink.spark.session import build_session

given = arguments()
spark = build_session("bench", master=given["master"])
topics = Topics(given["servers"], given["prefix"])
start = time.perf_counter()
query = (
    KafkaSource(spark, topics)
    .stream(given["max_messages_per_batch"])
    .writeStream.format("delta")
    .option("checkpointLocation", f"{given['lake']}/_checkpoint")
    .trigger(availableNow=True)
    .start(f"{given['lake']}/messages")
)
query.awaitTermination()
seconds = time.perf_counter() - start
found(
    seconds=seconds, messages=spark.read.format("delta").load(f"{given['lake']}/messages").count()
)
