"""Messages in a lake of which no run has come: those that wait for others, and those in quarantine."""
