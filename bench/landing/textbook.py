"""The design of the textbooks: a query for each topic, duplicates dropped within a watermark."""

from __future__ import annotations

import json
import time

from bench.landing.process import arguments, found
from pyspark.sql import functions as F
from pyspark.sql.avro.functions import from_avro

from conformare_schemas import HEADER_BYTES, RUN_GRAINS, message_schema, topic_name
from conformare_sink.spark.jars import SCALA_VERSION, SINK_JARS, SPARK_VERSION, JarSet, resolve_jars
from conformare_sink.spark.session import build_session

# The sink decodes Avro itself; the textbooks let Spark do it.
AVRO = f"org.apache.spark:spark-avro_{SCALA_VERSION}:{SPARK_VERSION}"
JARS = JarSet("textbook", (*SINK_JARS.coordinates, AVRO), beside_spark=True)

given = arguments()
spark = build_session(
    "bench",
    master=given["master"],
    extra_conf={"spark.jars": ",".join(map(str, resolve_jars(JARS))), **given.get("conf", {})},
)
start = time.perf_counter()
queries = []
for grain in RUN_GRAINS:
    messages = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", given["servers"])
        .option("subscribe", topic_name(grain, given["prefix"]))
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", given["max_messages_per_batch"] // len(RUN_GRAINS))
        .option("kafka.fetch.max.wait.ms", "10")
        .load()
    )
    payload = F.expr(f"substring(value, {HEADER_BYTES + 1})")
    message = from_avro(payload, json.dumps(message_schema(grain)), {"mode": "PERMISSIVE"})
    rows = (
        messages.select(message.alias("m"))
        .select("m.*")
        .withWatermark("ts", "1 hour")
        .dropDuplicatesWithinWatermark(["run_id", "first_row"])
        .select("run_id", "pipeline", "ts", "emission_id", F.inline("rows"))
    )
    queries.append(
        rows.writeStream.format("delta")
        .option("checkpointLocation", f"{given['lake']}/_checkpoint/{grain}")
        .trigger(availableNow=True)
        .start(f"{given['lake']}/{grain}")
    )
for query in queries:
    query.awaitTermination()
seconds = time.perf_counter() - start
found(seconds=seconds, runs=spark.read.format("delta").load(f"{given['lake']}/runs").count())
