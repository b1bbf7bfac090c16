"""What flows from jobs to the topics during a series, and what is there in the end."""
