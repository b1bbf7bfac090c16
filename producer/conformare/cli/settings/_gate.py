"""The settings of `conformare fleet check` and `notify`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from conformare.cli.settings._shared import (
    ONE_CALL,
    Aged,
    Chosen,
)
from conformare.fleet.questions import DEFAULT_KINDS, KINDS, Kind
from conformare_schemas.settings import About


def kinds_of(text: str) -> tuple[Kind, ...]:
    """Parse kinds of findings, separated by commas."""
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a kind of finding: they are {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in names)


def _kinds(text: str) -> str:
    kinds_of(text)
    return text


class Format(str, Enum):
    """How findings are told."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


class CheckSettings(Aged, Chosen):
    """Of `conformare fleet check`."""

    fail_on: Annotated[str, About(metavar="KINDS"), AfterValidator(_kinds)] = Field(
        default=",".join(DEFAULT_KINDS),
        description=f"What counts as a finding, separated by commas: {', '.join(KINDS)}.",
    )
    format: Annotated[Format, ONE_CALL] = Field(
        default=Format.TEXT,
        description="A line for each finding, JSON, JUnit XML, or Markdown for GitHub's job summary.",
    )


class NotifySettings(Aged, Chosen):
    """Of `conformare fleet notify`."""

    to_webhook: Annotated[
        str | None,
        About(
            option="--webhook",
            is_secret=True,
            of_one_call=True,
            has_variable=False,
            metavar="URL|@FILE",
        ),
    ] = Field(
        default=None,
        description="Post signed JSON there. The URL may be in a file, or in CONFORMARE_WEBHOOK.",
    )
    webhook: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None, description="URL that `conformare fleet notify` posts signed JSON to."
    )
    to_slack: Annotated[
        str | None,
        About(
            option="--slack",
            is_secret=True,
            of_one_call=True,
            has_variable=False,
            metavar="URL|@FILE",
        ),
    ] = Field(
        default=None,
        description="Post to this incoming webhook of Slack. The URL is a secret: better in a file, "
        "or in CONFORMARE_SLACK.",
    )
    slack: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None,
        description="Incoming webhook of Slack that `conformare fleet notify` posts to.",
    )
    webhook_secret: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None, description="The secret that what is posted to a webhook is signed with."
    )
    secret_file: Annotated[Path | None, About(option="--secret-file", metavar="FILE")] = Field(
        default=None,
        alias="webhook_secret_file",
        description="File with the secret that --webhook signs with; or set "
        "CONFORMARE_WEBHOOK_SECRET.",
    )
    state: Annotated[
        Path | None,
        About(
            option="--state",
            metavar="FILE",
            default="a file in your user's state, for each store, filter and address",
        ),
    ] = Field(
        default=None,
        alias="notify_state",
        description="What was reported; a report of its own for each file.",
    )
