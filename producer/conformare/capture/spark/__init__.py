"""Spark's frames, readers and writers: which methods are tracked, and what becomes of each call."""
