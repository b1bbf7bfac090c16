"""What the tests of deployments share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.servers.object_store import ObjectStore, s3proxy


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An object store with a bucket; each test has a path of its own in it."""
    with s3proxy(tmp_path_factory.mktemp("object-store")) as running:
        yield running
