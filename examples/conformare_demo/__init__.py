"""The demo: a real pipeline over real data, its runs through Kafka into Delta tables."""
