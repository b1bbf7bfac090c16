"""The rows of whole emissions: values that waited come back in portions that memory can hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import pyarrow as pa

from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages.assembly import Parts, assemble, table_rows
from conformare_sink.messages.decode import Decoded, decode
from conformare_sink.messages.emission import EmissionKey
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.message import Message, Place
from conformare_sink.messages.parts import MOST_ROWS


class WaitingMessages(Protocol):
    """Where the values of waiting messages are."""

    def waiting_messages(self, places: Collection[Place]) -> Iterator[list[Message]]:
        """Return messages that were kept, with their values, in portions and in the order asked.

        One that is not there is left out.
        """


@dataclass(frozen=True)
class RowPortion:
    """The rows of some whole emissions."""

    emissions: Sequence[EmissionKey]
    """Those that the rows are of."""
    rows: Mapping[str, pa.Table]
    """Their rows by grain."""
    lacking: Mapping[EmissionKey, Parts]
    """What is left of emissions of which a value is gone."""
    rejected: Sequence[Rejected]
    """Messages that waited and cannot be used."""
    is_last: bool


class _Values(NamedTuple):
    """Some emissions, and the values that are there of their messages that waited."""

    emissions: Sequence[EmissionKey]
    messages: Sequence[Message]
    are_last: bool
    """Whether these are the last emissions."""


class WholeEmissions:
    """Emissions of which every message is there, though not every value.

    Args:
        parts: The parts of each emission.
        decoded: What the messages hold that have just come.
        pending: What waits, with values that are in memory.
        waiting: Where the other values are.
        topic_prefix: Put in front of every grain's topic.
    """

    def __init__(
        self,
        parts: Mapping[EmissionKey, Parts],
        decoded: Decoded,
        pending: PendingMessages,
        waiting: WaitingMessages,
        topic_prefix: str,
    ) -> None:
        self._parts = parts
        self._decoded = decoded
        self._pending = pending
        self._waiting = waiting
        self._topic_prefix = topic_prefix

    def rows(self) -> Iterator[RowPortion]:
        """Return every emission once, those first whose values are at hand."""
        for values in self._values():
            back = decode(values.messages, self._topic_prefix)
            pieces = assemble(back.envelopes)
            whole: list[EmissionKey] = []
            fresh: list[Parts] = []
            waited: list[Parts] = []
            lacking: dict[EmissionKey, Parts] = {}
            for key in values.emissions:
                parts = self._parts[key]
                new = {piece: one for piece, one in parts.items() if one.at >= 0}
                old = {p: one for p, one in pieces.get(key, {}).items() if p in parts.keys() - new}
                if len(new) + len(old) == len(parts):
                    whole.append(key)
                    fresh.append(new)
                    waited.append(old)
                else:
                    lacking[key] = {p: one for p, one in parts.items() if p in new or p in old}
            rows = _together(table_rows(self._decoded, fresh), table_rows(back, waited))
            yield RowPortion(whole, rows, lacking, back.rejected, values.are_last)

    def _values(self) -> Iterator[_Values]:
        light = {
            key: [part for part in parts.values() if part.at < 0]
            for key, parts in self._parts.items()
        }
        places = (part.message.place for parts in light.values() for part in parts)
        cached = dict(self._pending.values(places))
        at_hand: dict[EmissionKey, list[Envelope]] = {}
        far: dict[EmissionKey, list[Envelope]] = {}
        for key, parts in light.items():
            is_at_hand = all(part.message.place in cached for part in parts)
            (at_hand if is_at_hand else far)[key] = parts
        near, distant = _by_rows(at_hand), _by_rows(far)
        for n, group in enumerate(near, 1):
            messages = [
                part.message._replace(value=cached[part.message.place])
                for parts in group.values()
                for part in parts
            ]
            yield _Values(list(group), messages, are_last=n == len(near) and not distant)
        for n, group in enumerate(distant, 1):
            yield from self._fetched(group, are_last=n == len(distant))

    def _fetched(
        self, group: Mapping[EmissionKey, Sequence[Envelope]], *, are_last: bool
    ) -> Iterator[_Values]:
        places = {key: [part.message.place for part in parts] for key, parts in group.items()}
        wanted = [place for those in places.values() for place in those]
        rank = {place: number for number, place in enumerate(wanted)}
        keys = list(places)
        messages: list[Message] = []
        for portion in self._waiting.waiting_messages(wanted):
            messages += portion
            reached = rank[messages[-1].place] if messages else -1
            n_done = sum(1 for key in keys if rank[places[key][-1]] <= reached)
            # The last emissions come behind the loop, also those of which nothing was found.
            if 0 < n_done < len(keys):
                end = rank[places[keys[n_done - 1]][-1]]
                n_theirs = sum(1 for message in messages if rank[message.place] <= end)
                yield _Values(keys[:n_done], messages[:n_theirs], are_last=False)
                keys, messages = keys[n_done:], messages[n_theirs:]
        yield _Values(keys, messages, are_last)


def _by_rows(
    emissions: Mapping[EmissionKey, Sequence[Envelope]],
) -> list[dict[EmissionKey, Sequence[Envelope]]]:
    """Return emissions in groups of bounded rows, of those that come back."""
    groups: list[dict[EmissionKey, Sequence[Envelope]]] = []
    n_rows = 0
    for key, parts in emissions.items():
        more = sum(part.n_rows for part in parts)
        if not groups or (n_rows and n_rows + more > MOST_ROWS):
            groups.append({})
            n_rows = 0
        groups[-1][key] = parts
        n_rows += more
    return groups


def _together(
    first: Mapping[str, pa.Table], second: Mapping[str, pa.Table]
) -> Mapping[str, pa.Table]:
    return {
        grain: pa.concat_tables([rows[grain] for rows in (first, second) if grain in rows])
        for grain in dict.fromkeys((*first, *second))
    }
