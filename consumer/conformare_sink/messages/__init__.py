"""Bytes become emissions, and emissions rows. Pure: nothing here knows Spark, Delta, a lake or a Kafka client."""
