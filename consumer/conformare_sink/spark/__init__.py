"""The Spark session, its Java process, and how rows come out of it."""
