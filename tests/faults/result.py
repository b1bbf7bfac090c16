"""What came of a series, and the table that tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from support.lakes.checker import DeclarationsVerdict, QuarantineVerdict, RunKey, Verdict

from faults.killer import Phase
from faults.reader import Seen
from faults.sink_process import Victim


@dataclass
class Result:
    """What came of a series.

    Attributes:
        seed: What it was drawn from.
        runs: Runs that had to land; a run_id in two pipelines is two.
        emissions: Emissions of them that were whole.
        incomplete: Runs that were never whole.
        messages: Messages that were sent.
        unusable: Messages that cannot be used, as they are on the topics.
        phases: Kills by what the sink was doing.
        victims: Kills by what was killed.
        half_landed: Kills that left rows of runs that `runs` did not have.
        outages: How often the broker was killed and started again.
        ended: Sinks that ended by themselves when the broker had been killed, and what they said.
        given_up: Those that did so though nothing had happened to them or to the broker.
        refused: Second sinks that were refused as they must be.
        replays: How often all that the topics held was replayed into the lake that was there.
        at_once: How often two sinks were started at the same instant, and one was refused.
        suspended: Sinks that were suspended for longer than a lease, and went on.
        cut_off: Sinks that were cut off from the store for so long, and were connected again.
        frozen: Commits that were held on their way until a successor had landed runs, and that the
            store refused then.
        verdict: The lake, compared with what was produced.
        quarantine: Its quarantine, compared with the topics.
        declarations: Its declarations, compared with what was produced.
        declared: How many there had to be.
        forgotten: Incomplete runs of which the lake keeps nothing, or others that it keeps.
        seen: What the reader saw.
        failures: What else was not as it must be, in words.
        seconds: How long it took.
    """

    seed: int
    runs: int = 0
    emissions: int = 0
    incomplete: int = 0
    messages: int = 0
    unusable: int = 0
    phases: Counter[Phase] = field(default_factory=Counter)
    victims: Counter[Victim] = field(default_factory=Counter)
    half_landed: int = 0
    outages: int = 0
    ended: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    refused: int = 0
    replays: int = 0
    at_once: int = 0
    suspended: int = 0
    cut_off: int = 0
    frozen: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    quarantine: QuarantineVerdict = field(default_factory=QuarantineVerdict)
    declarations: DeclarationsVerdict = field(default_factory=DeclarationsVerdict)
    declared: int = 0
    forgotten: set[RunKey] = field(default_factory=set)
    seen: Seen = field(default_factory=Seen)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def kills(self) -> int:
        """How often a sink was killed."""
        return self.phases.total()

    @property
    def lost(self) -> set[RunKey]:
        """Runs that are not in the lake, or were there once and then were not."""
        return set(self.verdict.lost) | self.seen.vanished

    @property
    def duplicated(self) -> set[RunKey]:
        """Runs of which anything is, or was, there more than once."""
        return set(self.verdict.duplicated) | self.seen.duplicated

    @property
    def mixed(self) -> set[RunKey]:
        """Runs with rows of more than one emission, in the end or meanwhile."""
        return set(self.verdict.mixed) | self.seen.mixed

    @property
    def partial(self) -> set[RunKey]:
        """Runs that were in `runs`, in the end or meanwhile, while some of their rows were not."""
        return set(self.verdict.partial) | self.seen.partial

    @property
    def foreign(self) -> set[RunKey]:
        """Runs with rows of an emission that was never whole."""
        return set(self.verdict.foreign) | self.seen.foreign

    @property
    def is_sound(self) -> bool:
        """Whether everything is as it must be."""
        faults = (self.lost, self.duplicated, self.mixed, self.partial, self.foreign)
        harmless = not (self.forgotten or self.given_up or self.failures)
        beside = self.quarantine.is_sound and self.declarations.is_sound
        return harmless and beside and not any(faults)

    def complaints(self) -> list[str]:
        """Return everything that is not as it must be, in words, a few of each kind by name."""
        kinds: dict[str, Collection[Any]] = {
            "lost": self.lost,
            "duplicated": self.duplicated,
            "mixed": self.mixed,
            "partially visible": self.partial,
            "landed though never whole": self.foreign,
            "incomplete and forgotten, or kept though whole": self.forgotten,
            "declarations lost": self.declarations.lost,
            "declarations twice, or nobody's": self.declarations.foreign,
            "not in quarantine": self.quarantine.missing,
            "in quarantine more than once": self.quarantine.repeated,
            "altered in quarantine": self.quarantine.altered,
            "in quarantine though usable": self.quarantine.usable,
        }
        told = [f"{len(k)} {name}: {sorted(k)[:3]}" for name, k in kinds.items() if k]
        gave_up = [f"ended by itself: {end}" for end in self.given_up]
        return [*self.failures, *gave_up, *told]


_LINES: Sequence[tuple[str, Callable[[Result], float]]] = (
    ("runs that must land", lambda r: r.runs),
    ("their emissions, conflicting ones included", lambda r: r.emissions),
    ("runs that are never whole", lambda r: r.incomplete),
    ("declarations", lambda r: r.declared),
    ("messages", lambda r: r.messages),
    ("of them unusable", lambda r: r.unusable),
    ("**sinks killed**", lambda r: r.kills),
    *((f"during {p.value}", lambda r, p=p: r.phases[p]) for p in Phase),
    ("with rows in the tables whose run was not", lambda r: r.half_landed),
    *((f"{v.value} killed", lambda r, v=v: r.victims[v]) for v in Victim),
    ("brokers killed and started again", lambda r: r.outages),
    ("sinks that ended because of that", lambda r: len(r.ended)),
    ("sinks that ended by themselves otherwise", lambda r: len(r.given_up)),
    ("second sinks refused", lambda r: r.refused),
    ("replays of everything", lambda r: r.replays),
    ("pairs of sinks started at once", lambda r: r.at_once),
    ("sinks suspended for longer than a lease", lambda r: r.suspended),
    ("sinks cut off from the store for as long", lambda r: r.cut_off),
    ("commits held until a successor had landed", lambda r: r.frozen),
    ("looks of the reader", lambda r: r.seen.polls),
    ("of them at something new", lambda r: r.seen.changes),
    ("**lost**", lambda r: len(r.lost)),
    ("**duplicated**", lambda r: len(r.duplicated)),
    ("**mixed**", lambda r: len(r.mixed)),
    ("**partially visible**", lambda r: len(r.partial)),
    ("landed though never whole", lambda r: len(r.foreign)),
    ("incomplete and forgotten", lambda r: len(r.forgotten)),
    ("declarations lost, twice or nobody's", lambda r: _wrong_declarations(r.declarations)),
    ("unusable, not in quarantine", lambda r: len(r.quarantine.missing)),
    ("in quarantine twice, altered or usable", lambda r: _wrong(r.quarantine)),
    ("minutes", lambda r: round(r.seconds / 60, 1)),
)


def _wrong(quarantine: QuarantineVerdict) -> int:
    return len(quarantine.repeated) + len(quarantine.altered) + len(quarantine.usable)


def _wrong_declarations(declarations: DeclarationsVerdict) -> int:
    return len(declarations.lost) + len(declarations.foreign)


def result_table(results: Sequence[Result]) -> str:
    """Return a table in Markdown: a column for each series and, of several, one for all."""
    heads = [f"seed {result.seed}" for result in results]
    if len(results) > 1:
        heads.append("all")
    lines = [["", *heads], ["---", *("---:" for _ in heads)]]
    for name, value in _LINES:
        values = [value(result) for result in results]
        if len(results) > 1:
            values.append(round(sum(values), 1))
        lines.append([name, *(f"{number:,}" for number in values)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
