"""What the author says about a pipeline: contexts, risks, sensitive columns."""
