"""For tests of your pipelines: see what a pipeline recorded, without Kafka.

With pytest, name the plugin in `conftest.py`, and ask for the fixture:

    pytest_plugins = ["conformare.testing.plugin"]

    def test_my_pipeline(recorded_runs):
        my_pipeline()
        assert recorded_runs.last("risks")[0]["owners"] == ["risk-team@example.com"]
"""

from conformare.testing._memory import InMemoryWriter

__all__ = ["InMemoryWriter"]
