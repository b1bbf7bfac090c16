"""What `conformare doctor` is asked and what its checks find: said alike by the job's and the sink's side."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(str, Enum):
    """Whose machine is looked at."""

    JOB = "job"
    """It records runs: it writes to the topics, and keeps a spool."""
    SINK = "sink"
    """It lands runs: it reads the topics, and writes the lake."""


class State(str, Enum):
    """What a finding means."""

    GOOD = "good"
    ADVICE = "advice"
    """It works, and something else would be better."""
    MEND = "mend"
    """Something does not work, or runs are lost or kept out by it."""
    UNCHECKED = "not checked"


@dataclass(frozen=True)
class Asked:
    """What is to be looked at.

    Attributes:
        role: Whose machine it is.
        bootstrap_servers: Brokers to begin with, `host:port` separated by commas; None for no broker.
        topic_prefix: Put in front of every grain's topic.
    """

    role: Role
    bootstrap_servers: str | None
    topic_prefix: str


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        part: What was looked at, such as "broker".
        state: What it means.
        line: What was found; where something is to be mended, also how. It holds no secret.
    """

    part: str
    state: State
    line: str

    @classmethod
    def good(cls, part: str, line: str) -> Finding:
        """Return that something is as it must be."""
        return cls(part, State.GOOD, line)

    @classmethod
    def advice(cls, part: str, line: str) -> Finding:
        """Return that something works and could be better."""
        return cls(part, State.ADVICE, line)

    @classmethod
    def mend(cls, part: str, line: str) -> Finding:
        """Return that something is to be mended."""
        return cls(part, State.MEND, line)

    @classmethod
    def unchecked(cls, part: str, line: str) -> Finding:
        """Return that something was not looked at, and why."""
        return cls(part, State.UNCHECKED, line)
