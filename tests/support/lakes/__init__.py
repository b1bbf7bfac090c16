"""Lakes and what stands for one: filled, looked at, checked."""
