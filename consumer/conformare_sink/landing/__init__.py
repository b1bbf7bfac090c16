"""What becomes of some messages, and of a whole micro-batch."""
