"""`describe`: everything about the data that a methods section needs before any model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import PanelError, some
from ..findings import Finding, Findings
from ..options import INSTRUMENTS, NAMES, PANEL, known_name, takes
from ..panel.panel import LARGEST
from ..scoring import Answered, Instrument, answered
from ..threads import one_thread
from ..words import agree, counted
from .missing import Mask, Missingness, missingness
from .reliability import Reliability, of_scales
from .sample import DropOut, Sample, drop_out, sample
from .variables import Category, PersonVariable, Variable, category, per_person, person_variable, variable
from .variance import Home, home

if TYPE_CHECKING:
    import polars as pl

    from ..panel import Panel

#: A person-level text column with more labels than this is a name or a comment, not a category.
MOST_LABELS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """What `describe` found. Prints itself; holds no session rows.

    sample : persons, sessions, clusters, dates, skipped sessions.
    drop_out : persons still in treatment at each session number.
    missing : cells without a value, by column and session number, attended sessions only.
    variables : numeric columns that vary from session to session.
    persons : numeric columns that are the same in all sessions of a person, over persons.
    categories : the same for text.
    reliability : of each scale of the instruments whose items are in the data.
    findings : caveats, one note each.

    `description["wai_sr"]` is the entry of one column, variable or not.
    """

    sample: Sample
    drop_out: DropOut
    missing: Missingness
    variables: tuple[Variable, ...]
    persons: tuple[PersonVariable, ...]
    categories: tuple[Category, ...]
    reliability: tuple[Reliability, ...]
    findings: Findings

    def __getitem__(self, name: str) -> Variable | PersonVariable | Category:
        entries: dict[str, Variable | PersonVariable | Category] = {}
        for part in (self.variables, self.persons, self.categories):
            entries.update({entry.name: entry for entry in part})
        known_name("described column", name, entries, PanelError)
        return entries[name]

    def to_dict(self) -> dict[str, Any]:
        """Plain dict for JSON: the attributes' names are the keys, at every level; unknown is None.

        `variables[i]["components"]` has the variances and the criterion, not the per-person arrays. The keys
        of `sample.per_person.counts` and the like are texts, as JSON has it.
        """
        from ..show import plain

        return {
            "sample": plain(self.sample),
            "drop_out": plain(self.drop_out),
            "missing": plain(self.missing),
            "variables": plain(self.variables, drop=("n_per_person", "findings")),
            "persons": plain(self.persons),
            "categories": plain(self.categories),
            "reliability": [r.to_dict() for r in self.reliability],
            "findings": plain(self.findings),
        }

    def tables(self) -> dict[str, pl.DataFrame]:
        """Polars dataframes for export: sample, sessions_per_person, drop_out, missing, variables, persons,
        categories, reliability, notes. One row a thing counted; empty tables are there, with no rows."""
        from .exported import tables

        return tables(self)

    def __rich__(self) -> object:
        from ..show import rich_group
        from .printed import description_parts

        return rich_group(description_parts(self))

    def __str__(self) -> str:
        from ..show import text

        return text(self)

    def __repr__(self) -> str:
        s = self.sample
        return f"<Description {s.persons:,} persons, {s.sessions:,} sessions, {len(self.variables)} variables>"

    def _repr_html_(self) -> str:
        from ..show import html_parts
        from .printed import description_parts

        return html_parts(description_parts(self))


@takes(PanelError, panel=PANEL, columns=NAMES, instruments=INSTRUMENTS)
@one_thread()
def describe(
    panel: Panel,
    columns: Sequence[str] | None = None,
    *,
    instruments: Sequence[str | Instrument] | str | Instrument | None = None,
) -> Description:
    """Sample, drop-out, missing values, variance within and between persons, and reliability.

    panel : sessions nested in persons.
    columns : which columns; if not given all without a role, except single items of an instrument whose scale
        columns are there, too.
    instruments : whose scales' reliability is estimated; if not given every instrument whose items are found
        without doubt; () for none.

    A column is a variable if any person has two different values; else it belongs to the person and is
    described over persons. Infinite numbers and those beyond LARGEST count as missing, and a note says so.

    Raises PanelError for a named column that is not there or is text that varies within persons; ScoreError for an
    instrument, named here, whose items are not found.
    """
    homes = home(panel)
    found = _instruments(panel, instruments)
    items = {name for one in found for name in one.columns.values()} if columns is None else set()
    each = _Columns()
    for name in _columns(panel, columns, found):
        if panel.is_numeric(name):
            each.add_number(name, panel, homes, asked=columns is not None, ends=name not in items)
        else:
            each.add_label(name, panel, asked=columns is not None)
    if columns is None:  # missing values are shown for single items, too
        each.masks.update({n: panel.series(n).is_null().to_numpy() for n in _free(panel) if n not in each.masks})
    masks = {name: each.masks[name] for name in panel.columns if name in each.masks}
    reliable, said = _reliability(panel, found, asked=instruments is not None)
    said += _panel_notes(panel, homes, each) + _column_notes(each.variables, reliable)
    if any(v.name in items for v in each.variables):
        what = "Single items of an instrument: no intervals unless named in columns."
        said.append(Finding("note", "items-no-interval", what))
    return Description(
        sample=sample(panel, homes),
        drop_out=drop_out(panel),
        missing=missingness(masks, panel.sessions),
        variables=tuple(each.variables),
        persons=tuple(each.persons),
        categories=tuple(each.categories),
        reliability=tuple(reliable),
        findings=Findings(said),
    )


@dataclass(slots=True)
class _Columns:
    """Columns sorted by what they are.

    empty : without a value. wordy : text that is not described. extreme : with infinite or absurd numbers.
    """

    masks: dict[str, Mask] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)
    persons: list[PersonVariable] = field(default_factory=list)
    categories: list[Category] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    wordy: list[str] = field(default_factory=list)
    extreme: list[str] = field(default_factory=list)

    def add_number(self, name: str, panel: Panel, homes: Home | None, *, asked: bool, ends: bool) -> None:
        values = panel[name]
        absurd = np.abs(values) > LARGEST
        if absurd.any():
            self.extreme.append(name)
            values = np.where(absurd, np.nan, values)
        self.masks[name] = np.isnan(values)
        constant = per_person(values, panel)
        none = bool(self.masks[name].all())
        if none:
            self.empty.append(name)
        if constant is None or (none and asked):
            self.variables.append(variable(name, values, panel, homes, ends))
        elif not none:
            self.persons.append(person_variable(name, constant))

    def add_label(self, name: str, panel: Panel, *, asked: bool) -> None:
        labels = panel.labels(name)
        self.masks[name] = labels.codes < 0
        few = len(labels.levels) <= MOST_LABELS
        found = category(name, panel) if few else None
        if found:
            self.categories.append(found)
        elif asked and few:
            panel[name]  # raises, and says why it is not numeric
        else:
            self.wordy.append(name)


def _free(panel: Panel) -> list[str]:
    """Columns without a role."""
    taken = set(panel.roles.taken().values())
    return [name for name in panel.columns if name not in taken]


def _columns(panel: Panel, columns: Sequence[str] | None, found: Sequence[Answered]) -> list[str]:
    if columns is not None:
        names = [columns] if isinstance(columns, str) else list(dict.fromkeys(columns))
        for name in names:
            panel.is_numeric(name)  # raises if it is not there
        return names
    items: set[str] = set()
    for one in found:
        if any(column in panel for column in one.instrument.columns):
            items.update(one.columns.values())
    return [name for name in _free(panel) if name not in items]


def _instruments(panel: Panel, wanted: Sequence[str | Instrument] | str | Instrument | None) -> list[Answered]:
    """Instruments asked for, or scored and found."""
    asked = [wanted] if isinstance(wanted, str | Instrument) else (wanted or ())
    found, errors = answered(panel.columns, panel.records, asked, others=wanted is None)
    if errors:
        raise errors[0]
    return found


def _reliability(panel: Panel, found: Sequence[Answered], *, asked: bool) -> tuple[list[Reliability], list[Finding]]:
    """Of every scale with two items or more; an instrument nobody asked for must not stop the rest."""
    out, said = [], []
    for one in found:
        name = one.instrument.name
        try:
            scales = of_scales(panel, one)
        except PanelError as error:
            if asked:
                raise
            what = f"No reliability of {name}: {error.what}"
            said.append(Finding("warning", "items-not-numeric", what, error.where, 0, error.remedy))
            continue
        if one.instrument.name not in (getattr(r, "instrument", None) for r in panel.records):
            said += one.reversed_finding(panel.series)  # scoring has said so already
        outside = [f for f in scales[0].findings if f.code == "answers-out-of-range"]
        said += [replace(f, what=f"{name}: {f.what}") for f in outside]
        out += scales
    return out, said


def _panel_notes(panel: Panel, homes: Home | None, each: _Columns) -> list[Finding]:
    """Caveats on the sample as a whole."""
    said = []

    def note(code: str, what: str, count: int = 0) -> None:
        said.append(Finding("note", code, what, count=count))

    single = int((panel.sessions_per_person == 1).sum())
    if single:
        people, inform = counted(single, "person has", "persons have"), agree(single, "it informs", "they inform")
        note(
            "one-session",
            f"{people} one session: {inform} the mean and the variance between persons, not within.",
            single,
        )
    if each.variables:
        note(
            "reml",
            "SD within and between and ICC by REML, sessions independent given the person; SD within includes change "
            "over treatment. Intervals: 95 % profile likelihood.",
        )
    if homes and homes.moved:
        what = f"{homes.moved:,} persons changed cluster: each counts to the cluster of most of their sessions."
        note("cluster-changed", what, homes.moved)
    if homes and homes.unknown:
        what = f"{homes.unknown:,} persons have no cluster: each counts as a cluster of one."
        note("cluster-unknown", what, homes.unknown)
    if each.extreme:
        what = f"Infinite numbers and numbers beyond {LARGEST:g} were taken as missing: {some(each.extreme)}."
        note("extreme-number", what, len(each.extreme))
    if each.empty:
        note("no-values", f"Without any value: {some(each.empty)}.", len(each.empty))
    if each.wordy:
        what = f"Not described, text that varies within persons or has over {MOST_LABELS} labels: {some(each.wordy)}."
        note("text", what, len(each.wordy))
    return said


#: Findings on single scales that are summed up for all.
_SAID_ONCE = ("items-missing", "answers-out-of-range", "negative-component")


def _column_notes(variables: Sequence[Variable], reliable: Sequence[Reliability]) -> list[Finding]:
    """Caveats on columns and scales, one note for all that share it."""
    same: dict[tuple[str, str], list[str]] = {}
    for v in variables:
        for f in v.components.findings:
            same.setdefault((f.code, f.what), []).append(v.name)
    for r in reliable:
        for f in (f for f in r.findings if f.code not in _SAID_ONCE):
            same.setdefault((f.code, f.what), []).append(r.name)
    said = [Finding("note", code, what, some(names), len(names)) for (code, what), names in same.items()]
    zero = [r.name for r in reliable if r.set_to_zero]
    if zero:
        what = (
            "Reliability: a variance component was estimated below zero and set to zero (little or no such variation)."
        )
        said.append(Finding("note", "negative-component", what, some(zero, 12), len(zero)))
    most = max((r.left_out for r in reliable), default=0)
    if most:
        what = f"Reliability: sessions with an item of the scale missing were left out, up to {most:,} for a scale."
        said.append(Finding("note", "items-missing", what, count=most))
    return said
