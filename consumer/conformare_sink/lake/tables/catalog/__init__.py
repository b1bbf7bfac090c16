"""Where a lake is, and how its store is reached."""
