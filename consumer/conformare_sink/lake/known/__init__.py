"""Which runs a lake holds: their digests, kept on this machine's disk and mapped, never loaded."""
