"""Great Expectations: checks on the steps of a pipeline, and results that the user hands over."""
