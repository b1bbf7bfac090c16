"""The sink: whole runs from the topics into Delta, once.

A program begins at `conformare_sink.stream.stream.SinkStream`, `conformare_sink.stream.replay.replay` or
`conformare_sink.status.read_status`. Nothing is imported here: the broker and the jars need no Spark.
"""
