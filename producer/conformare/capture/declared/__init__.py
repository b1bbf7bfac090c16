"""What the author says about a pipeline: contexts, risks, data that is read and written by hand."""
