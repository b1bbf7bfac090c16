"""Large batches on Spark's executors: what a task does, and what the driver makes of it."""
