"""What Spark's own processes are told, and what takes the place of one, in tests."""
