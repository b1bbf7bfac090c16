"""Fleets that are made up: whatever runs may be like, in any order of arrival."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from conformare_schemas import EMISSION_COLUMN, GRAINS
from support.fleet.history import Row, row

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
NAMES = (
    "orders",
    "Orders",
    "a.b.c",
    "it's",
    'say "hi"',
    "back\\slash",
    "100%",
    "under_score",
    "two\nlines",
    "\x1b[31mred",
    "<b>bold</b>",
    "🚀 launch",
    "nul\x00nul",
    "-- comment; DROP TABLE runs",
    " spaces ",
    "{0} $x {braces}",
    "under_scor_",
    "e\u0301",
    "\u00e9",
    "long " * 30,
)
"""Of pipelines, contexts, owners and runs."""
ENVIRONMENTS = (None, "", "prod", "dev")
SPELLINGS = (
    ("s3://lake/raw", "s3a://lake/raw/", "S3://Lake/raw", " s3://lake/raw "),
    ("s3://lake/Raw",),
    ("/data/orders", "/data/orders/", "file:/data/orders", "file:///data/orders"),
    ("/data/Orders",),
    ("sales.orders", "Sales.Orders", "`sales`.`orders`"),
    ("jdbc:postgresql://db/sales",),
    ("abfss://box@account.dfs/x", "abfs://box@account.dfs/x/"),
    ('it\'s a \\ "place"',),
)
"""Of a few places; of each, in what ways it is written."""
PLACES: Mapping[str, int] = {
    spelled: number for number, spellings in enumerate(SPELLINGS) for spelled in spellings
}
STATUSES = ("healthy", "healthy", "healthy", "degraded", "failed")
SEVERITIES = ("critical", "high", "medium", "low")
RISKS = ("privacy.pii_exposure", "quality.duplicates", "it's")
CHECKS = ("not_null", "unique")


@dataclass(frozen=True)
class Emission:
    """What one call of `record_run` has emitted.

    Attributes:
        tables: Rows by grain; without `runs`, it has not landed whole.
    """

    tables: Mapping[str, Sequence[Row]]

    @property
    def run(self) -> Row | None:
        """Its row of `runs`."""
        return next(iter(self.tables["runs"]), None)


@dataclass
class _Code:
    """How the contexts of a pipeline in one environment are now."""

    impl: dict[str, list[str]] = field(default_factory=dict)
    risk: dict[str, str] = field(default_factory=dict)


class Invention:
    """Makes up runs.

    Args:
        random: Where all chance is from.
        pipelines: How many.
        late: The share of runs that arrive after later ones.
    """

    def __init__(self, random: Random, pipelines: int, late: float = 0.15) -> None:
        self._random = random
        self._late = late
        self._same_time = random.choice((0.1, 0.1, 0.1, 0.8))
        names = random.sample(NAMES, min(pipelines, len(NAMES)))
        names += [f"pipeline-{number}" for number in range(pipelines - len(names))]
        self._environments = {
            name: random.sample(ENVIRONMENTS, random.choice((1, 1, 2, 3))) for name in names
        }
        self._labels = {name: random.sample(NAMES, random.randint(1, 3)) for name in names}
        self._code: dict[tuple[str, str | None], _Code] = {}
        self._clock = dict.fromkeys(names, START)
        self._emitted = 0

    def emissions(self, count: int) -> list[Emission]:
        """Return so many runs in the order of their arrival, and some that never land whole."""
        made = list(self._made(count))
        arrival = [
            number + (self._random.randint(2, 60) if self._random.random() < self._late else 0)
            for number in range(len(made))
        ]
        order = sorted(range(len(made)), key=lambda number: (arrival[number], number))
        return [made[number] for number in order]

    def _made(self, count: int) -> Iterator[Emission]:
        for number in range(count):
            for pipeline in self._sharing():
                run_id = (
                    f"{number:05}{self._random.choice(('', '', '', NAMES[number % len(NAMES)]))}"
                )
                yield self._run(pipeline, run_id)

    def _sharing(self) -> Sequence[str]:
        """Return the pipelines of the next run: most often one; two may share a run_id."""
        names = list(self._environments)
        if len(names) > 1 and self._random.random() < 0.05:
            return self._random.sample(names, 2)
        return [self._random.choice(names)]

    def _run(self, pipeline: str, run_id: str) -> Emission:
        random = self._random
        env = random.choice(self._environments[pipeline])
        same_time = random.random() < self._same_time
        step = random.choice((timedelta(microseconds=1), *[timedelta(hours=6)] * 6))
        ts = self._clock[pipeline] = self._clock[pipeline] + (timedelta() if same_time else step)
        self._emitted += 1
        key = {
            "run_id": run_id,
            "pipeline": pipeline,
            "ts": ts,
            EMISSION_COLUMN: f"e{self._emitted:06}",
        }
        tables: dict[str, list[Row]] = {grain: [] for grain in GRAINS}
        for grain, fields in self._rows(pipeline, env):
            tables[grain].append(row(grain, **key, **fields))
        kept = random.random()
        if kept > 0.03:
            evaluated = random.choice((0, 1, 2))
            tables["runs"].append(
                row(
                    "runs",
                    **key,
                    schema_version=1,
                    status=random.choice(STATUSES),
                    env=env,
                    git_sha=random.choice((None, f"{self._emitted:040x}")),
                    tags=random.choice(({}, {"team": "a"}, {"team": "it's", "%": '"'})),
                    report_uri=None,
                    ge_evaluated=evaluated,
                    ge_errored=random.choice((0, evaluated)),
                )
            )
        if kept > 0.97:  # the rows of another emission of the run, which came later
            for grain in GRAINS:
                tables[grain] += [
                    {**one, EMISSION_COLUMN: "another"} for one in tables[grain] if grain != "runs"
                ]
        return Emission(tables)

    def _rows(self, pipeline: str, env: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self._contexts(pipeline, env)
        yield from self._governed()
        yield from self._touched()

    def _contexts(self, pipeline: str, env: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
        random = self._random
        code = self._code.setdefault((pipeline, env), _Code())
        for label in self._labels[pipeline]:
            if random.random() < 0.1:  # not entered this time
                continue
            impl = code.impl.setdefault(label, ["i0"])
            chance = random.random()
            if chance < 0.15:
                impl[:] = [f"i{random.randint(0, 3)}"]  # code may come back
            elif chance < 0.2:
                impl[:] = ["i0", "i1"]  # a loop over two pieces of code
            if random.random() < 0.05:
                code.risk[label] = f"r{random.randint(0, 2)}"
            risk = code.risk.get(label, "r0")
            for one in impl * random.choice((1, 1, 2)):
                yield (
                    "contexts",
                    {
                        "context_label": label,
                        "definition_owner": None,
                        "impl_hash": one,
                        "risk_hash": risk,
                        "has_risks": risk != "r0",
                        "risk_ids": [] if risk == "r0" else [risk],
                    },
                )
        for label in self._labels[pipeline]:
            for owner in random.sample(NAMES[:6], random.choice((0, 0, 1, 2))):
                yield (
                    "owners",
                    {"owner": owner, "scope": "context", "ref": label, "role": "context_owner"},
                )

    def _governed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        random = self._random
        for risk_id in random.sample(RISKS, random.choice((0, 1, 2))):
            owners = sorted(random.sample(NAMES[:6], random.choice((0, 1))))
            yield (
                "risks",
                {
                    "risk_id": risk_id,
                    "label": risk_id.title(),
                    "severity": random.choice(SEVERITIES),
                    "mitigated": random.random() < 0.5,
                    "owned": bool(owners),
                    "owners": owners,
                },
            )
            for owner in owners:
                yield (
                    "owners",
                    {"owner": owner, "scope": "risk", "ref": risk_id, "role": "risk_owner"},
                )
        for check in random.sample(CHECKS, random.choice((0, 1, 2))):
            success = random.choice((True, True, False, None))
            yield (
                "expectations",
                {
                    "node": random.choice(("frame", "sink")),
                    "expectation": check,
                    "column": random.choice(("id", None)),
                    "success": success,
                    "hard": success is False and random.random() < 0.5,
                    "severity": random.choice(SEVERITIES),
                    "observed": random.choice((None, "3")),
                    "error": None if success is not None else "no such column",
                },
            )

    def _touched(self) -> Iterator[tuple[str, dict[str, Any]]]:
        random = self._random
        for number in random.sample(range(len(SPELLINGS)), random.choice((0, 1, 1, 2))):
            location = random.choice(SPELLINGS[number])
            yield "sources", {"node": "n", "location": location, "format": "delta", "reader": "r"}
        for number in random.sample(range(len(SPELLINGS)), random.choice((0, 1, 1, 2))):
            location = random.choice(SPELLINGS[number])
            columns = sorted(random.sample(("email", "id", "ssn", "total"), 2))
            n_sensitive = len({"email", "ssn"} & set(columns))
            yield (
                "sinks",
                {
                    "node": "n",
                    "location": location,
                    "format": "delta",
                    "writer": "w",
                    "columns": columns,
                    "n_sensitive": n_sensitive,
                },
            )
            for risk_id in random.sample(RISKS, random.choice((0, 1))):
                kind = random.choice(("direct", "indirect", "process"))
                yield (
                    "sink_risks",
                    {
                        "sink_node": "n",
                        "sink_location": location,
                        "risk_id": risk_id,
                        "label": risk_id.title(),
                        "severity": random.choice(SEVERITIES),
                        "owners": sorted(random.sample(NAMES[:6], random.choice((0, 1, 2)))),
                        "mitigated": random.random() < 0.5,
                        "kind": kind,
                        "distance": {"direct": 0, "indirect": random.randint(1, 3)}.get(kind),
                        "context_label": "(process)" if kind == "process" else "c",
                    },
                )


def all_rows(emissions: Sequence[Emission]) -> dict[str, list[Row]]:
    """Return the rows of emissions by grain."""
    return {
        grain: [one for emission in emissions for one in emission.tables.get(grain, ())]
        for grain in GRAINS
    }


def declarations(random: Random, count: int) -> list[Row]:
    """Return rows of `source_risks`, each of a time of its own."""
    return [
        {
            "location": random.choice(list(PLACES)),
            "column": random.choice((None, "email", "phone")),
            "risk_id": (risk_id := random.choice(RISKS)),
            "label": risk_id.title(),
            "category": "Privacy",
            "severity": random.choice(SEVERITIES),
            "owner": random.choice((None, "ana")),
            "mitigation": random.choice((None, "hashed")),
            "note": random.choice((None, "it's \\ noted")),
            "context": None,
            "author": random.choice((None, "ana")),
            "ts": START + timedelta(minutes=number),
            "kind": "static",
        }
        for number in range(count)
    ]
