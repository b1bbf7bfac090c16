"""What the tests of resuming share: a cluster and a new lake, without Kafka and without a lake."""

from __future__ import annotations

import pytest
from support.lakes.memory_source import Broker, Notes


@pytest.fixture
def broker() -> Broker:
    """Its topics hold messages."""
    made = Broker("cluster")
    made.create_those_of_runs()
    made.produce()
    return made


@pytest.fixture
def notes() -> Notes:
    """Those of a new lake."""
    return Notes()
