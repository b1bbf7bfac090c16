"""What `conformare doctor` asks of a lake and of its store."""
