"""The public CI runs nobody's code but what somebody has looked at, with no right but to read."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from support.servers.manifests import ROOT

WORKFLOW: dict[str, Any] = yaml.safe_load(
    (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
)


def test_its_token_can_only_read() -> None:
    """In every job: none asks for more."""
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not [name for name, job in WORKFLOW["jobs"].items() if "permissions" in job]


@pytest.mark.parametrize("job", WORKFLOW["jobs"].values(), ids=list(WORKFLOW["jobs"]))
def test_an_action_is_named_by_its_commit_and_leaves_no_token_behind(job: dict[str, Any]) -> None:
    """Whoever controls a repository can move its tags."""
    actions = [step for step in job["steps"] if "uses" in step]
    assert actions
    for step in actions:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
        assert step["with"]["persist-credentials"] is False
