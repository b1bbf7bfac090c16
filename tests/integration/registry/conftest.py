"""A real Schema Registry, one for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.servers.registry import Registry, running_registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The registry."""
    with running_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running
