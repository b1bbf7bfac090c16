"""The lineage of the fleet: which pipelines read and write which places, and what is downstream."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from conformare._errors import FleetError
from conformare.fleet._fleet import Fleet, run_key
from conformare.fleet.questions._found import found_run
from conformare.fleet.questions._places import place_of, read_at
from conformare.fleet.stores import PipelineKey, Row, pipeline_order

Direction = Literal["down", "up"]


@dataclass(frozen=True)
class Edge:
    """A pipeline reads a place, or writes it."""

    pipeline: PipelineKey
    place: str
    is_write: bool


@dataclass(frozen=True)
class Reached:
    """A place or a pipeline that what was asked for reaches.

    Attributes:
        distance: How many pipelines are between: 1 for one that reads what the start writes. A place
            has the distance of the pipeline that writes it (downstream) or reads it (upstream).
        pipeline: The pipeline, and for a place the one that writes or reads it.
        env: Its environment.
        location: The place; None for a pipeline.
        via: The place or the pipeline before it.
        owners: Who owns something of the pipeline.
    """

    distance: int
    pipeline: str
    env: str | None
    location: str | None
    via: str
    owners: tuple[str, ...]


class Lineage:
    """Sources joined with sinks by place, as of the newest runs.

    Args:
        fleet: The fleet.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.readers: dict[str, set[PipelineKey]] = defaultdict(set)
        self.writers: dict[str, set[PipelineKey]] = defaultdict(set)
        self.reads: dict[PipelineKey, set[str]] = defaultdict(set)
        self.writes: dict[PipelineKey, set[str]] = defaultdict(set)
        self.spelled: dict[str, str] = {}
        for grain, of_place, of_pipeline in (
            ("sources", self.readers, self.reads),
            ("sinks", self.writers, self.writes),
        ):
            for key, rows in fleet.rows(grain).items():
                for location in _locations(grain, rows):
                    place = place_of(location)
                    # The same spelling whatever the order of the rows.
                    self.spelled[place] = min(location, self.spelled.get(place, location))
                    of_place[place].add(key)
                    of_pipeline[key].add(place)

    @property
    def edges(self) -> list[Edge]:
        """Every read and write, in a fixed order."""
        reads = [Edge(key, place, False) for key, places in self.reads.items() for place in places]
        writes = [Edge(key, place, True) for key, places in self.writes.items() for place in places]
        return sorted(
            [*reads, *writes], key=lambda edge: (pipeline_order(edge.pipeline), edge.place)
        )

    def around(self, start: PipelineKey | str, hops: int, most_nodes: int) -> list[Edge]:
        """Return the edges within some hops of a pipeline or a location, both ways.

        Args:
            start: The pipeline, or the location as a record has it.
            hops: How many steps from pipeline to pipeline.
            most_nodes: Not more pipelines and places than these; the nearest are kept.
        """
        first: PipelineKey | str = start if isinstance(start, PipelineKey) else place_of(start)
        seen: dict[PipelineKey | str, int] = {first: 0}
        queue = deque([first])
        # A step from pipeline to pipeline is two from node to node.
        limit = 2 * hops if isinstance(first, PipelineKey) else 2 * hops - 1
        while queue and len(seen) < most_nodes:
            node = queue.popleft()
            if seen[node] >= limit:
                continue
            for other in self._neighbours(node):
                if other not in seen and len(seen) < most_nodes:
                    seen[other] = seen[node] + 1
                    queue.append(other)
        return [edge for edge in self.edges if edge.pipeline in seen and edge.place in seen]

    def reached(
        self, starts: Iterable[PipelineKey | str], direction: Direction = "down"
    ) -> list[Reached]:
        """Return all that lies downstream of some pipelines or places, or upstream, nearest first.

        Args:
            starts: Where from; a pipeline is at distance 0 itself, and not in the answer.
            direction: Which way.
        """
        begin: list[PipelineKey | str] = [
            start if isinstance(start, PipelineKey) else place_of(start) for start in starts
        ]
        out_of, into = (
            (self.writes, self.readers) if direction == "down" else (self.reads, self.writers)
        )
        distances: dict[PipelineKey | str, int] = dict.fromkeys(begin, 0)
        queue = deque(begin)
        found: list[Reached] = []
        while queue:
            node = queue.popleft()
            if isinstance(node, PipelineKey):
                for place in sorted(out_of.get(node, ())):
                    if place not in distances:
                        distances[place] = distances[node]
                        queue.append(place)
                        found.append(self._reached(distances[place], node, place, node.pipeline))
                continue
            for key in sorted(into.get(node, ()), key=pipeline_order):
                if key not in distances:
                    distances[key] = distances[node] + 1
                    queue.append(key)
                    found.append(self._reached(distances[key], key, None, self.spelled[node]))
        return sorted(found, key=lambda one: one.distance)

    def _neighbours(self, node: PipelineKey | str) -> Sequence[PipelineKey | str]:
        if isinstance(node, PipelineKey):
            return sorted({*self.reads.get(node, ()), *self.writes.get(node, ())})
        return sorted(
            {*self.readers.get(node, ()), *self.writers.get(node, ())}, key=pipeline_order
        )

    def _reached(self, distance: int, key: PipelineKey, place: str | None, via: str) -> Reached:
        location = None if place is None else self.spelled[place]
        owners = tuple(self._fleet.owners(key))
        return Reached(distance, key.pipeline, key.env, location, via, owners)


def impact(
    fleet: Fleet,
    *,
    run_id: str | None = None,
    pipeline: str | None = None,
    location: str | None = None,
    env: str | None = None,
    direction: Direction = "down",
) -> list[Reached]:
    """Return what is downstream of a run, a pipeline or a location, nearest first.

    Args:
        fleet: The fleet.
        run_id: The run; what it wrote is where it begins.
        pipeline: The pipeline; with a run_id, whose run it is.
        location: The location.
        env: Of a pipeline, this environment alone.
        direction: Downstream, or upstream.

    Raises:
        FleetError: None of the three is given, or more than one, or it is not there.
    """
    if (location is None) == (run_id is None and pipeline is None):
        raise FleetError("give one of a run_id, a pipeline and a location")
    lineage = Lineage(fleet)
    starts: list[PipelineKey | str]
    if location is not None:
        starts = [location]
        if place_of(location) not in lineage.spelled:
            raise FleetError(
                f"no newest run reads or writes {location!r}: correct the location, as "
                "`conformare fleet show RUN_ID` prints it"
            )
    elif run_id is not None:
        run = found_run(fleet, run_id, pipeline)
        grain = "sinks" if direction == "down" else "sources"
        rows = fleet.store.rows_of(grain, [run_key(run)])
        starts = sorted(set(_locations(grain, rows)))
    else:
        starts = [
            key for key in fleet.newest() if key.pipeline == pipeline and env in (None, key.env)
        ]
        if not starts:
            raise FleetError(f"{fleet.store.place} has no pipeline {pipeline!r}: correct the name")
    return lineage.reached(starts, direction)


def _locations(grain: str, rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield from read_at(row["location"]) if grain == "sources" else [row["location"]]
