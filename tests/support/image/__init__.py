"""The sink's image, built and run without a Docker engine."""
