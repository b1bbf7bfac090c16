"""The streaming query from its start to its end, and the other ways through the topics."""
