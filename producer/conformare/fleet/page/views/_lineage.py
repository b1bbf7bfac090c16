"""Lineage around a pipeline or a place, and what lies downstream of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote

from conformare.fleet.page._cells import (
    location_cell,
    owners_cell,
    pipeline_cell,
)
from conformare.fleet.page._model import (
    Cell,
    Field,
    Form,
    Graph,
    Page,
    Section,
    Text,
)
from conformare.fleet.page.views._ask import HINTS, Ask, env_field, named_pipeline, table
from conformare.fleet.questions import Edge, Lineage, health, impact, place_of
from conformare.fleet.stores import PipelineKey, pipeline_order

MOST_NODES = 300
"""A layout of more takes a browser seconds."""
MOST_HOPS = 10
_PIPELINE = "pipeline:"
"""What a node that was clicked on begins with, if it is a pipeline."""
_DIRECTIONS = (("down", "downstream"), ("up", "upstream"))


def lineage_page(ask: Ask) -> Page:
    """Return the lineage around what the query names, one hop each way unless it says how many."""
    lineage = Lineage(ask.fleet)
    start = _start(ask)
    form = _form(ask, lineage, hops=True)
    lead = "Which pipelines read and write which places, as of the newest runs."
    if start is None:
        rows = [_edge(ask, lineage, edge) for edge in lineage.edges]
        made = table(ask, "edges", "Every read and write", _EDGES, rows, empty="None is known.")
        return Page("lineage", "Lineage", lead, (*form, made))
    hops = _hops(ask)
    edges = _around(ask, lineage, start, hops)
    rows = [_edge(ask, lineage, edge) for edge in edges]
    name = start.pipeline if isinstance(start, PipelineKey) else lineage.spelled.get(start, start)
    sections: list[Section] = [*form]
    if edges and ask.links.are_served:
        graph = _graph(ask, lineage, edges, start)
        sections.append(graph)
        if hops < MOST_HOPS and len(graph.nodes) < MOST_NODES:
            more = Cell("one hop more each way", href=ask.here(hops=str(hops + 1)))
            sections.append(Text("A click on a node adds what is around it. Or show", (more,)))
    sections.append(
        table(ask, "edges", f"Reads and writes, {_hops_words(hops)}", _EDGES, rows, empty="None.")
    )
    title = f"Lineage of {name}"
    return Page("lineage", title, lead, tuple(sections))


def impact_page(ask: Ask) -> Page:
    """Return what lies downstream of what the query names, or upstream."""
    lineage = Lineage(ask.fleet)
    form = _form(ask, lineage, hops=False)
    get = ask.asked.get
    if not any(get(name) for name in ("pipeline", "location", "run_id")):
        return Page("impact", "Impact", "Name a pipeline, a location or a run.", form)
    up = get("direction") == "up"
    found = impact(
        ask.fleet,
        run_id=get("run_id"),
        pipeline=get("pipeline"),
        location=get("location"),
        env=get("env"),
        direction="up" if up else "down",
    )
    rows = [
        (
            Cell(str(one.distance)),
            Cell("pipeline" if one.location is None else "location"),
            pipeline_cell(ask.links, one.pipeline, one.env)
            if one.location is None
            else location_cell(ask.links, one.location),
            Cell(one.via),
            owners_cell(ask.links, one.owners),
        )
        for one in found
    ]
    words = "upstream" if up else "downstream"
    pipelines = len({one.pipeline for one in found if one.location is None})
    places = len({one.location for one in found if one.location is not None})
    owners = len({name for one in found for name in one.owners})
    lead = f"{pipelines:,} pipelines, {places:,} locations and {owners:,} owners are {words}."
    titles = ("#Distance", "What", "Which", "~Through", "Owners")
    empty = f"Nothing is {words}."
    made = table(ask, "impact", f"What is {words}, nearest first", titles, rows, empty=empty)
    name = get("pipeline") or get("location") or f"run {get('run_id')}"
    return Page("impact", f"Impact of {name}", lead, (*form, made))


_EDGES = ("Pipeline", "Does", "Location")


def _start(ask: Ask) -> PipelineKey | str | None:
    location, pipeline = ask.asked.get("location"), ask.asked.get("pipeline")
    if location is not None:
        return place_of(location)
    return None if pipeline is None else named_pipeline(ask, pipeline)[0]


def _around(ask: Ask, lineage: Lineage, start: PipelineKey | str, hops: int) -> list[Edge]:
    """Return the edges around the start, and one hop around what was clicked on since."""
    edges = dict.fromkeys(lineage.around(start, hops, MOST_NODES))
    for also in ask.asked.also:
        env, _, name = also.removeprefix(_PIPELINE).partition(":")
        key = PipelineKey(name, unquote(env) or None)
        more = key if also.startswith(_PIPELINE) else place_of(also)
        edges.update(dict.fromkeys(lineage.around(more, 1, MOST_NODES)))
    nodes = dict.fromkeys(node for edge in edges for node in (edge.pipeline, edge.place))
    kept = set(list(nodes)[:MOST_NODES])
    return [edge for edge in edges if edge.pipeline in kept and edge.place in kept]


def _hops(ask: Ask) -> int:
    return min(ask.asked.number("hops"), MOST_HOPS)


def _hops_words(hops: int) -> str:
    return "one hop each way" if hops == 1 else f"{hops} hops each way"


def _edge(ask: Ask, lineage: Lineage, edge: Edge) -> tuple[Cell, ...]:
    return (
        pipeline_cell(ask.links, *edge.pipeline),
        Cell("writes" if edge.is_write else "reads"),
        location_cell(ask.links, lineage.spelled[edge.place]),
    )


def _graph(ask: Ask, lineage: Lineage, edges: Sequence[Edge], start: PipelineKey | str) -> Graph:
    pipelines = sorted({edge.pipeline for edge in edges}, key=pipeline_order)
    places = sorted({edge.place for edge in edges})
    states = {one.key: one.health for one in health(ask.fleet)}
    drawable: list[PipelineKey | str] = [*pipelines, *places]
    ids = {node: f"n{number}" for number, node in enumerate(drawable)}
    nodes: list[dict[str, Any]] = [
        {
            "id": ids[key],
            "kind": "pipeline",
            "label": f"{key.pipeline}\n{states[key]}{f', {key.env}' if key.env else ''}",
            "health": states[key],
            "start": key == start,
            "also": f"{_PIPELINE}{quote(key.env or '', safe='', errors='replace')}:{key.pipeline}",
        }
        for key in pipelines
    ]
    nodes += [
        {
            "id": ids[place],
            "kind": "place",
            "label": lineage.spelled[place],
            "health": "",
            "start": place == start,
            "also": lineage.spelled[place],
        }
        for place in places
    ]
    drawn = []
    for edge in edges:
        ends = ids[edge.pipeline], ids[edge.place]
        source, target = ends if edge.is_write else ends[::-1]
        drawn.append({"source": source, "target": target})
    note = f"The nearest {MOST_NODES} are drawn." if len(nodes) >= MOST_NODES else ""
    names = {key.pipeline for key in pipelines}
    caption = f"{len(names)} pipelines and {len(places)} locations; the table below says the same"
    return Graph(caption, tuple(nodes), tuple(drawn), note)


def _form(ask: Ask, lineage: Lineage, *, hops: bool) -> tuple[Section, ...]:
    if not ask.links.are_served:
        return ()
    get = ask.asked.get
    names = tuple(sorted({key.pipeline for key in ask.fleet.newest()})[:HINTS])
    places = tuple(sorted(lineage.spelled.values())[:HINTS])
    fields = [
        Field("pipeline", "Pipeline", get("pipeline") or "", hints=names),
        env_field(ask),
        Field("location", "or location", get("location") or "", hints=places),
    ]
    if hops:
        choices = tuple((str(n), str(n)) for n in range(1, MOST_HOPS + 1))
        fields.append(Field("hops", "Hops", str(_hops(ask)), choices))
    else:
        fields.insert(3, Field("run_id", "or run", get("run_id") or ""))
        fields.append(Field("direction", "Direction", get("direction") or "down", _DIRECTIONS))
    return (Form("Around what", f"/{ask.page}", tuple(fields)),)
