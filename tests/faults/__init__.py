"""The fault harness: kills the real sink, its Java and its broker while runs flow, and compares.

`python -m faults` runs it; docs/reliability.md says what it proves.
"""
