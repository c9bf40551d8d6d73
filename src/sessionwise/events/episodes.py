"""Episodes: what a detector found in a Panel, beside what it would find by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..findings import Findings
from ..panel.frame_kind import TableKind
from ..show import Grid, Part, Shown, plain
from ..words import agree, counted, num, p_value, percent
from .contract import Detector, Found
from .rates import FalseAlarms

#: Events that are printed; `table` has all.
PRINTED = 10
COLUMNS = ("person", "kind", "start", "turning", "end", "magnitude", "length", "evidence", "probability")


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """persons : in the Panel. assessed : with ratings enough. with_events : who have one or more. several : more than
    one. events : all. kinds : kind -> events. by : further column -> value -> events, where it has few values."""

    persons: int
    assessed: int
    with_events: int
    several: int
    events: int
    kinds: dict[str, int]
    by: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Episodes(Shown):
    """Events that a detector found. Prints itself; holds no ratings but those that an event tells.

    detector : as it was used, nothing left to the data. found : the events as arrays. persons : (n,) labels.
    person, session : what the user calls these columns. false_alarms : expected without any event; None if not asked
    for. findings : what a reader must know.
    """

    detector: Detector
    found: Found
    persons: np.ndarray
    person: str
    session: str
    false_alarms: FalseAlarms | None
    findings: Findings
    kind: TableKind

    def __len__(self) -> int:
        return len(self.found)

    @property
    def counts(self) -> Counts:
        found = self.found
        each = np.bincount(found.person, minlength=len(self.persons))
        kinds = {kind: int((found.kind == k).sum()) for k, kind in enumerate(self.detector.kinds)}
        by = {
            name: {str(value): int(n) for value, n in zip(*np.unique(values, return_counts=True), strict=True)}
            for name, values in found.more.items()
            if values.dtype.kind in "Ub"
        }
        assessed = int(found.assessed.sum())
        return Counts(len(each), assessed, int((each > 0).sum()), int((each > 1).sum()), len(found), kinds, by)

    @property
    def flagged(self) -> np.ndarray:
        """Labels of the persons with an event, in the Panel's order."""
        return np.asarray(self.persons[self.found.persons])

    def columns(self) -> dict[str, list[Any]]:
        """Column -> values of `table`."""
        f = self.found
        named: dict[str, list[Any]] = {
            "person": self.persons[f.person].tolist(),
            "kind": [self.detector.kinds[k] for k in f.kind.tolist()],
            "start": f.start.tolist(),
            "turning": f.turning.tolist(),
            "end": f.end.tolist(),
            "magnitude": f.magnitude.tolist(),
            "length": (f.end - f.start).tolist(),
            "evidence": f.evidence.tolist(),
            "probability": f.probability.tolist(),
        }
        return named | {name: values.tolist() for name, values in f.more.items()}

    def table(self) -> Any:
        """One row an event, a dataframe of the kind that came in.

        Returns
        -------
        person, kind; start, turning, end (session numbers: the last before it, that of the change or the lowest, the
        last of it); magnitude (the column's units); length (sessions from start to end); evidence (how many times the
        threshold); probability (of as much where nothing happened; NaN if the rule gives none); and the detector's own.
        """
        return self.kind.table(self.columns())

    def parts(self) -> list[Part]:
        c = self.counts
        words = [f"{n:,} {kind}" for kind, n in c.kinds.items() if n]
        what = ", ".join(words) or "nothing found"
        parts: list[Part] = [
            f"{what}: {counted(c.with_events, 'person')} of {c.assessed:,} with ratings enough"
            + (f" ({percent(c.with_events / c.assessed)})" if c.assessed else ""),
            f"Rule: {self.detector.rule}.",
        ]
        if c.several:
            parts.append(f"{counted(c.several, 'person')} {agree(c.several, 'has', 'have')} more than one.")
        if self.false_alarms is not None:
            parts += [self._beside(c, self.false_alarms), self.false_alarms.grid, self.false_alarms.note]
        for name, values in c.by.items():
            if c.events:
                parts.append(f"{name}: " + ", ".join(f"{value} {n:,}" for value, n in values.items()) + ".")
        if c.events:
            parts.append(self._grid())
        return [*parts, *self.findings.lines()]

    def _beside(self, c: Counts, alarms: FalseAlarms) -> str:
        one = alarms.expected
        who = "courses like these" if one.shape == alarms.best else "courses without change"
        expected = one.share * c.persons
        return (
            f"By chance: in {who} and no event, {percent(one.share)} (±{percent(one.se, 1)}) of the persons would be "
            f"found, about {expected:,.0f} of {c.persons:,}; {c.with_events:,} were."
        )

    def _grid(self) -> Grid:
        rows = []
        columns = self.columns()
        for i in range(min(PRINTED, len(self))):
            at = {name: columns[name][i] for name in COLUMNS}
            rows.append(
                (
                    str(at["person"]),
                    at["kind"],
                    *(str(at[name]) for name in ("start", "turning", "end")),
                    num(at["magnitude"]),
                    num(at["evidence"]),
                    p_value(at["probability"]),
                )
            )
        more = f" (first {PRINTED} of {len(self):,})" if len(self) > PRINTED else ""
        head = (self.person, "kind", "start", "turning", "end", "size", "evidence", "p")
        return Grid(f"Events by {self.session}{more}", head, tuple(rows), dense=True)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text, as `sessionwise detect --json` prints them; unknown is None."""
        columns = self.columns()
        made: dict[str, Any] = plain(
            {
                "detector": self.detector.key,
                "settings": self.detector,
                "rule": self.detector.rule,
                "counts": self.counts,
                "false_alarms": self.false_alarms,
                "events": [{name: values[i] for name, values in columns.items()} for i in range(len(self))],
                "findings": self.findings,
            }
        )
        return made
