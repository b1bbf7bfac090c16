"""Fleets for tests: invented ones, where they are written to, and their answers in plain Python."""
