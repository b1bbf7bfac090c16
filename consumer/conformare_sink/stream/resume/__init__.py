"""Where the sink resumes after it has ended."""
