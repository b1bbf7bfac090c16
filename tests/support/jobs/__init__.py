"""Jobs, their spools and what they have captured."""
