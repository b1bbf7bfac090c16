"""The embedded broker: a real Apache Kafka on this machine, for trials and tests."""
