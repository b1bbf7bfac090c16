"""Kafka as companies run it: several brokers, every way to log in, users with rights of their own."""
