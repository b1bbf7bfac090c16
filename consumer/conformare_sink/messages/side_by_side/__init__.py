"""Messages of one grain become columns, each field read of all of them at once."""
