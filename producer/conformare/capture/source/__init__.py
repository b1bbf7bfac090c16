"""The source text of the user's calls: what was written, so that a fingerprint can be made of it."""
