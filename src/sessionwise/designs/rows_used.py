"""Rows used: which are used, and for each of the others the first reason why not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..errors import DesignError, some
from ..findings import Finding
from ..formula import Expression, Formula, Group, calls, column_unknown, show
from ..formula.functions import SHIFT
from ..panel import Panel
from ..panel.labels import distinct
from ..words import counted
from .design import Dropped, Grouping
from .fittable import none_left
from .person_values import to_rows
from .values import Reason, Source, causes, missing, value


class Codes(NamedTuple):
    """A grouping factor over all rows of a Panel: int32 codes (n_rows,), -1 for missing; labels of the codes."""

    codes: np.ndarray
    levels: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Rows used, int64 ascending; those dropped, by reason."""

    rows: np.ndarray
    dropped: tuple[Dropped, ...]

    @property
    def why(self) -> list[tuple[str, int]]:
        """Reasons, and how many rows were dropped for each."""
        return [(d.what, len(d.rows)) for d in self.dropped]

    def of(self, values: np.ndarray) -> np.ndarray:
        """Of values in all rows those in the rows used; the same array if these are all."""
        return values[self.rows] if self.dropped else values


def keep(
    variables: Sequence[Expression], response: Expression | None, groups: dict[str, Codes], source: Source
) -> Kept:
    """The rows in which every variable and grouping factor is there."""
    used = np.ones(len(source.panel), bool)
    by_reason: dict[Reason, list[np.ndarray]] = {}
    for variable in variables:
        gone = missing(value(variable, source))
        if not gone.any():
            continue
        rows = np.flatnonzero(gone & used)
        used[rows] = False
        for reason, at in causes(variable, rows, source):
            if variable == response and reason.code == "missing":
                reason = Reason("response-missing", "the response ", variable, " is missing")
            if len(at):
                by_reason.setdefault(reason, []).append(rows[at])
    for name, group in groups.items():
        rows = np.flatnonzero((group.codes < 0) & used)
        if len(rows):
            used[rows] = False
            by_reason[Reason("group-missing", f"the grouping factor {name} is missing")] = [rows]
    dropped = tuple(
        Dropped(r, rows[0] if len(rows) == 1 else np.sort(np.concatenate(rows))) for r, rows in by_reason.items()
    )
    return Kept(np.flatnonzero(used), dropped)


def some_left(kept: Kept, formula: Formula, panel: Panel) -> None:
    """Stop if no row is left, saying why."""
    if len(kept.rows):
        return
    across = [show(e) for v in formula.variables for e in calls(v) if e.function in (*SHIFT, "detrend")]
    if across and panel.sessions_per_person.max() == 1:
        raise DesignError(
            f"{across[0]} needs several sessions of a person, and every person has one.",
            where=f"{panel.n_persons:,} persons, {len(panel):,} sessions",
            remedy="Give the sessions of a person as rows, one for each, or leave this term out.",
        )
    raise none_left(formula, kept.why)


def dropped_findings(kept: Kept, panel: Panel, lost: np.ndarray) -> list[Finding]:
    """One note for each reason, and a warning if persons were lost entirely."""
    found = [dropped_finding(d.code, d.what, len(d.rows), panel.where(d.rows)) for d in kept.dropped]
    return found + lost_finding(lost, panel.n_persons, panel.roles.person)


def dropped_finding(code: str, why: str, n: int, where: str) -> Finding:
    """That so many rows were dropped for one reason."""
    return Finding("note", f"dropped-{code}", f"{counted(n, 'row')} dropped: {why}.", where, n)


def lost_finding(lost: np.ndarray, persons: int, person: str) -> list[Finding]:
    """That persons, of so many, were lost entirely; nothing if none was. person : name of the role's column."""
    if not len(lost):
        return []
    what = f"{len(lost):,} of {persons:,} persons have no row left."
    remedy = "Report how many persons were analysed; the notes on dropped rows say why."
    return [Finding("warning", "persons-lost", what, f"{person}: {some(lost.tolist())}", len(lost), remedy)]


def group_codes(group: Group, term: object, panel: Panel, absent_is_missing: bool = False) -> Codes:
    """A grouping factor over all rows.

    Raises
    ------
    FormulaError : no such column (unless an absent column counts as missing everywhere).
    """
    found = []
    for name in group.columns:
        if name.name in panel:
            found.append(_column_codes(name.name, panel))
        elif absent_is_missing:
            found.append(Codes(np.full(len(panel), -1, np.int32), np.array([], object)))
        else:
            raise column_unknown(name, panel.columns, term, "grouping factor")
    together = found[0]
    for other in found[1:]:
        together = _combined(together, other)
    return together


def grouping(name: str, all_rows: Codes, kept: Kept, starts: np.ndarray) -> Grouping:
    """The grouping factor over the rows used; levels without a row are left out."""
    codes, levels = kept.of(all_rows.codes), all_rows.levels
    of_person = codes[starts[:-1]]
    changes = codes[1:] != codes[:-1]
    constant = bool(np.count_nonzero(changes) == np.count_nonzero(changes[starts[1:-1] - 1]))
    used = np.flatnonzero(np.bincount((of_person if constant else codes) + 1, minlength=1)[1:])
    position = np.full(len(levels) + 1, -1, np.int32)
    position[used] = np.arange(len(used), dtype=np.int32)
    levels = levels[used]
    is_person = constant and len(used) == len(of_person)
    if constant:
        of_person = position[of_person]
        if is_person and not (of_person[1:] > of_person[:-1]).all():  # in another order: T1:12, T1:30, T2:4
            of_person, levels = np.arange(len(used), dtype=np.int32), levels[of_person]
        codes = np.repeat(of_person, np.diff(starts))
    else:
        codes = position[codes]
    codes.flags.writeable = levels.flags.writeable = False
    return Grouping(name, codes, levels, constant, is_person)


def _column_codes(name: str, panel: Panel) -> Codes:
    if name == panel.roles.person:
        return Codes(to_rows(np.arange(panel.n_persons, dtype=np.int32), panel.starts), panel.persons)
    if name == panel.roles.cluster and panel.clusters is not None and panel.cluster_codes is not None:
        return Codes(panel.cluster_codes, panel.clusters)
    labels = panel.labels(name)
    return Codes(labels.codes, labels.levels)


def _part(level: object) -> str:
    """A level as part of a combination's label, in quotes where it holds what combinations are joined by: no two
    combinations have one label."""
    text = str(level)
    return json.dumps(text, ensure_ascii=False) if ":" in text or '"' in text else text


def _combined(a: Codes, b: Codes) -> Codes:
    there = (a.codes >= 0) & (b.codes >= 0)
    both = np.where(there, a.codes * np.int64(max(len(b.levels), 1)) + b.codes, -1)
    first = np.flatnonzero(np.append(True, both[1:] != both[:-1]))  # of each run of rows that agree
    used, positions = distinct(both[first])
    if absent := int(used[0] < 0):
        used = used[1:]
    codes = np.repeat((positions - absent).astype(np.int32), np.diff(np.append(first, len(both))))
    of_a, of_b = a.levels.tolist(), b.levels.tolist()
    names = [f"{_part(of_a[u // len(of_b)])}:{_part(of_b[u % len(of_b)])}" for u in used.tolist()]
    return Codes(codes, np.array(names, object))
