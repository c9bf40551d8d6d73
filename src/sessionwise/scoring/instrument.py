"""What an instrument is: item numbers, answers, scales and how sure each fact is. Data only, no scoring.

Nothing here reads a table; `score` does the arithmetic and `_file` reads the TOML.
"""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, replace
from typing import Literal

from ..errors import InstrumentError
from ..show import text

Scoring = Literal["sum", "mean", "mean10"]
Higher = Literal["worse", "better"]
Certainty = Literal["source", "secondary", "unverified"]

# What a source can be about, as a user reads it.
FACTS: dict[str, str] = {
    "items": "which items belong to which scale",
    "range": "the numbering of the answers",
    "answers": "which answers some items have",
    "reversed": "the list of reversed items",
    "scoring": "the choice between sum and mean",
    "factor": "the number that the score is multiplied by",
    "missing": "how many items may be missing",
    "cutoff": "the cut-off",
    "bands": "the severity bands",
    "reliable_change": "the reliable change",
}


@dataclass(frozen=True, slots=True)
class Band:
    """Scores from `start` (included) up to the next band's start."""

    start: float
    label: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where some facts come from.

    about : keys of FACTS.
    citation : who says so.
    certainty : 'source' (read in a paper, manual or its publisher's page), 'secondary' (read in other
        scoring software or guides), 'unverified' (from memory, or chosen because no rule was found).
    doi : of the citation, or ''.
    scale : the name of the one scale it is about, or None for all.
    """

    about: tuple[str, ...]
    citation: str
    certainty: Certainty
    doi: str = ""
    scale: str | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """Items that have only some of the answers between the lowest and the highest.

    items : item numbers, ascending. values : their answers, ascending; the first is the instrument's lowest, the last
    its highest.
    """

    items: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """One score.

    name : suffix of its column; the total has ''.
    title : as printed.
    items : item numbers, ascending.
    scoring : 'sum', 'mean', or 'mean10' (mean × 10, the CORE clinical score).
    factor : what the sum or mean is multiplied by, such as 4 for a sum of 0 to 25 that is told as 0 to 100.
    higher : whether a higher score is 'worse' or 'better'.
    max_missing : up to so many missing items are replaced by the mean of the others; more give a missing score.
    parts : names of the scales whose scores it adds up, each with its own missing items replaced; it is missing where
        one of them is. Empty for a scale of items.
    cutoff : where the clinical range begins: score >= cutoff if higher is worse, score < cutoff if higher is better.
    reliable_change : smallest change that is more than measurement error; None if unknown.
    bands : ascending; empty if there are none.
    """

    name: str
    title: str
    items: tuple[int, ...]
    scoring: Scoring
    factor: float = 1.0
    higher: Higher = "worse"
    max_missing: int = 0
    cutoff: float | None = None
    reliable_change: float | None = None
    bands: tuple[Band, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def times(self) -> float:
        """The number by which the mean of the items is multiplied to give the score."""
        return self.factor * {"sum": len(self.items), "mean": 1, "mean10": 10}[self.scoring]

    def limits(self, low: float, high: float) -> tuple[float, float]:
        """The smallest and largest possible score if answers run from `low` to `high`."""
        return low * self.times, high * self.times


@dataclass(frozen=True, slots=True)
class Unverified:
    """A fact that no source confirms. fact : a key of FACTS. scale : name of the one scale it is about, or None."""

    fact: str
    scale: str | None = None

    def __str__(self) -> str:
        of = "" if self.scale is None else f" of {self.scale or 'the total'}"
        return f"{FACTS[self.fact]}{of} has not been verified against a source"


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire's key.

    name : 'core-om'; columns are named after it with underscores.
    items : item numbers 1..n.
    reversed : items that are turned round (low + high − answer) before scoring.
    low, high : smallest and largest answer.
    range_options : other ranges the form is used with, see `with_range`.
    whole : whether answers must be whole numbers.
    answers : items that have only some of the answers.
    higher : whether a higher total is 'worse' or 'better'; a scale may differ.
    scales : the total first. A total need not have all items.
    prefixes : how item columns may begin, besides the name.
    sources : where each fact comes from.
    """

    name: str
    title: str
    items: tuple[int, ...]
    low: float
    high: float
    scales: tuple[Scale, ...]
    reversed: tuple[int, ...] = ()
    range_options: tuple[tuple[float, float], ...] = ()
    whole: bool = True
    answers: tuple[Answers, ...] = ()
    higher: Higher = "worse"
    prefixes: tuple[str, ...] = ()
    licence: str = ""
    note: str = ""
    sources: tuple[Source, ...] = ()

    def column(self, scale: Scale) -> str:
        """The name of the scale's score column: 'core_om', 'core_om_risk'."""
        base = self.name.replace("-", "_")
        return f"{base}_{scale.name}" if scale.name else base

    @property
    def columns(self) -> tuple[str, ...]:
        """The score columns, in the order of `scales`."""
        return tuple(self.column(s) for s in self.scales)

    def values_of(self, item: int) -> tuple[float, ...] | None:
        """The only answers that an item has, ascending; None if it has all of the range."""
        return next((a.values for a in self.answers if item in a.items), None)

    @property
    def unverified(self) -> tuple[str, ...]:
        """One sentence for each fact that no source confirms."""
        return tuple(f"{self.name}: {fact}" for fact in self.unverified_facts)

    @property
    def unverified_facts(self) -> tuple[Unverified, ...]:
        """The facts that no source confirms."""
        certain: dict[tuple[str, str | None], bool] = {}
        for s in self.sources:
            for fact in s.about:
                key = (fact, s.scale)
                certain[key] = certain.get(key, False) or s.certainty != "unverified"
        return tuple(Unverified(*key) for key, known in certain.items() if not known)

    def with_range(self, low: float, high: float) -> Instrument:
        """The instrument with answers from `low` to `high`.

        Cut-offs, bands and reliable change belong to the default range and are dropped with another one.
        Raises InstrumentError unless the range is the default or one of `range_options`.
        """
        if (low, high) == (self.low, self.high):
            return self
        allowed = ((self.low, self.high), *self.range_options)
        if (low, high) not in allowed:
            raise InstrumentError(
                f"{self.name} is not used with answers from {low:g} to {high:g}",
                where="range",
                remedy="use "
                + " or ".join(f"({a:g}, {b:g})" for a, b in allowed)
                + ", or write your own instrument file",
            )
        bare = tuple(replace(s, cutoff=None, reliable_change=None, bands=()) for s in self.scales)
        others = tuple(r for r in allowed if r != (low, high))
        return replace(self, low=low, high=high, range_options=others, scales=bare)

    def already_reversed(self) -> Instrument:
        """The instrument for data in which the reversed items have been turned round already."""
        return replace(self, reversed=())

    def __rich__(self) -> object:
        from rich import box
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for i, head in enumerate(_HEAD):
            table.add_column(head, overflow="fold", no_wrap=i != 1)
        for scale in self.scales:
            table.add_row(*(Text(cell) for cell in self._row(scale)))
        parts: list[object] = [Text(self._headline(), style="bold"), table]
        parts += [Text(line) for line in self._remarks()]
        return Group(*parts)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return text(self, width=100)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{h}</th>" for h in _HEAD)
        rows = "".join(
            "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(c)}</td>" for c in self._row(s)) + "</tr>"
            for s in self.scales
        )
        remarks = "".join(f"<p>{html.escape(line)}</p>" for line in self._remarks())
        return f"<table><caption>{html.escape(self._headline())}</caption><tr>{head}</tr>{rows}</table>{remarks}"

    def _headline(self) -> str:
        return f"{self.title}: {len(self.items)} items, {self.low:g} to {self.high:g}, higher is {self.higher}"

    def _row(self, scale: Scale) -> tuple[str, ...]:
        low, high = scale.limits(self.low, self.high)
        items = "all" if scale.items == self.items else _runs(scale.items)
        scoring = scale.scoring if scale.factor == 1 else f"{scale.scoring} × {scale.factor:g}"
        return (
            self.column(scale),
            items,
            f"{scoring}, {low:g} to {high:g}",
            "as its parts" if scale.parts else str(scale.max_missing),
            "" if scale.cutoff is None else f"{scale.cutoff:g}",
            "" if scale.reliable_change is None else f"{scale.reliable_change:.3g}",
        )

    def _remarks(self) -> list[str]:
        lines = ["reversed items: " + (_runs(self.reversed) or "none")]
        lines += [
            f"answers of items {_runs(own.items)}: {', '.join(f'{value:g}' for value in own.values)}"
            for own in self.answers
        ]
        lines += [
            f"higher is {scale.higher} in {self.column(scale)}" for scale in self.scales if scale.higher != self.higher
        ]
        lines += [f"parts of {self.column(scale)}: {', '.join(scale.parts)}" for scale in self.scales if scale.parts]
        lines += [
            f"bands of {self.column(scale)}: " + "; ".join(f"{band.label} from {band.start:g}" for band in scale.bands)
            for scale in self.scales
            if scale.bands
        ]
        lines += [f"note: {self.note}"] if self.note else []
        lines += [f"licence: {self.licence}"] if self.licence else []
        return lines + [f"not verified: {sentence}" for sentence in self.unverified]


def _runs(numbers: tuple[int, ...]) -> str:
    """1, 2, 3, 4, 6, 7 as '1–4, 6, 7'."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{p[0]}–{p[-1]}" if len(p) > 2 else ", ".join(map(str, p)) for p in parts)


_HEAD = ("column", "items", "score", "may be missing", "cut-off", "reliable change")


def reliable_change(sd: float, reliability: float) -> float:
    """1.96·√2·sd·√(1 − reliability) (Jacobson & Truax 1991), from a baseline standard deviation."""
    return 1.96 * math.sqrt(2.0) * sd * math.sqrt(1.0 - reliability)
