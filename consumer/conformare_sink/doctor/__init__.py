"""What `conformare doctor` looks at, one module a part; nothing that it tries is left behind."""
