"""A Marquez that is built from a checkout of its repository, and its database."""
