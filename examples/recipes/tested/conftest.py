"""The fixture `recorded_runs`, for all tests below."""

pytest_plugins = ["conformare.testing.plugin"]
