"""What runs land in, and what others bring: protocols, by which the landing knows no lake."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from conformare_sink.landing.report import Times
from conformare_sink.messages.emission import Decision, EmissionKey, RunKey
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.headers import Sequences
from conformare_sink.messages.message import Message, Place
from conformare_sink.messages.skipping import Settled

Offsets = Mapping[str, int]
"""How far the topics were read: the name of a log → the first offset that was not."""


class LandingPlace(Protocol):
    """Where runs land: a lake, or the rehearsal of one."""

    def settled(self, runs: Collection[RunKey]) -> Settled:
        """Return which of some runs are there already, and which were deleted on purpose."""

    def land(
        self, rows: Mapping[str, pa.Table], runs: Collection[RunKey], read: Offsets | None = None
    ) -> None:
        """Append the rows of some runs, those of `runs` last, with how far the topics were read."""

    def note_read(self, read: Offsets) -> None:
        """Note how far the topics were read, where no run landed."""

    def declare(self, rows: pa.Table) -> Mapping[str, Decision]:
        """Append declarations that are not there; return what became of each, by emission_id."""

    def quarantine(self, rejected: Sequence[Rejected]) -> int:
        """Keep messages that could not be used; return how many were not there yet."""

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Keep messages whose emission is not complete."""

    def waiting_messages(self, places: Collection[Place]) -> Iterator[list[Message]]:
        """Return messages that were kept, with their values, in portions and in the order asked.

        One that is not there is left out.
        """

    def waiting_since(self, moment: datetime) -> Collection[EmissionKey]:
        """Return the emissions of which nothing has been kept since a moment."""

    def stop_waiting(self, places: Collection[Place]) -> None:
        """Delete messages from those that wait."""


Files = Mapping[str, Sequence[Any]]
"""Table → files in its folder, which are not committed."""


class Found(Protocol):
    """What others made of messages, and wrote to the folders of the place where runs land."""

    @property
    def messages(self) -> int:
        """How many messages there were."""

    @property
    def files(self) -> Files:
        """The files."""

    @property
    def landed(self) -> bytes:
        """Digests of the runs whose rows are in the files, one after the other."""

    @property
    def decisions(self) -> Mapping[Decision, int]:
        """Emissions that were decided."""

    @property
    def identities(self) -> Mapping[Decision, Collection[bytes]]:
        """Which ones, where somebody wants to know: the `emission_identity` of each."""

    @property
    def recorded(self) -> Times:
        """When runs were recorded whose rows are there, in seconds since 1970."""

    @property
    def sequences(self) -> Sequences:
        """Producer → numbers of its emissions, where messages name them."""

    @property
    def rejected(self) -> Sequence[bytes]:
        """Digests of the places of messages that cannot be used."""

    @property
    def unresolved(self) -> Collection[int]:
        """Schema ids of some of them, of which nothing is known."""


class FilesPlace(Protocol):
    """A place where runs land that takes files, too."""

    def land_files(self, files: Files, digests: bytes, read: Offsets | None = None) -> None:
        """Add the rows of some runs, those of `runs` last, with how far the topics were read."""

    def quarantine_files(self, files: Files, digests: Sequence[bytes]) -> int:
        """Keep messages that could not be used; return how many were not there yet."""

    def keep_waiting_files(self, files: Files) -> None:
        """Keep messages whose emission is not complete."""
