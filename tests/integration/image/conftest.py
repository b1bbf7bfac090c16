"""The image, built once for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.image.build import Image, built


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image of docker/Dockerfile, but for its base."""
    with built(tmp_path_factory.mktemp("image")) as found:
        yield found
