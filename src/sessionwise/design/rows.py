"""Rows: which are used, and for each of the others the first reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..errors import DesignError, some
from ..findings import Finding
from ..formula import Call, Expression, Formula, Group, column_unknown, show
from ..formula.functions import SHIFT
from ..formula.syntax import parts
from ..panel import Panel
from .record import Dropped, Grouping
from .values import Reason, Source, causes, missing, value


class Codes(NamedTuple):
    """A grouping factor over all rows of a Panel: int64 codes (n_rows,), -1 for missing; labels of the codes."""

    codes: np.ndarray
    levels: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Rows used, int64 ascending; those dropped, by reason."""

    rows: np.ndarray
    dropped: tuple[Dropped, ...]


def keep(
    variables: Sequence[Expression], response: Expression | None, groups: dict[str, Codes], source: Source
) -> Kept:
    """The rows in which every variable and grouping factor is there."""
    used = np.ones(len(source.panel), bool)
    by_reason: dict[Reason, list[np.ndarray]] = {}
    for variable in variables:
        rows = np.flatnonzero(missing(value(variable, source)) & used)
        if not len(rows):
            continue
        used[rows] = False
        for reason, at in causes(variable, rows, source):
            if variable == response and reason.code == "missing":
                reason = Reason("response-missing", f"the response {show(variable)} is missing")
            if len(at):
                by_reason.setdefault(reason, []).append(rows[at])
    for name, group in groups.items():
        rows = np.flatnonzero((group.codes < 0) & used)
        used[rows] = False
        if len(rows):
            by_reason[Reason("group-missing", f"the grouping factor {name} is missing")] = [rows]
    dropped = tuple(Dropped(r.code, r.what, np.sort(np.concatenate(rows))) for r, rows in by_reason.items())
    return Kept(np.flatnonzero(used), dropped)


def some_left(kept: Kept, formula: Formula, panel: Panel) -> None:
    """Stop if no row is left, saying why."""
    if len(kept.rows):
        return
    across = [show(e) for v in formula.variables for e in _calls(v) if e.function in (*SHIFT, "detrend")]
    if across and panel.sessions_per_person.max() == 1:
        raise DesignError(
            f"{across[0]} needs several sessions of a person, and every person has one.",
            where=f"{panel.n_persons:,} persons, {len(panel):,} sessions",
            remedy="Give the sessions of a person as rows, one for each, or leave this term out.",
        )
    reasons = sorted(kept.dropped, key=lambda d: -len(d.rows))
    raise DesignError(
        "no row is left: " + "; ".join(f"{d.what} ({len(d.rows):,} rows)" for d in reasons[:6]) + ".",
        where=f"formula {formula.text!r}",
        remedy="Check these columns (describe shows how much is missing), or leave out the terms that need them.",
    )


def dropped_findings(kept: Kept, panel: Panel, lost: np.ndarray) -> list[Finding]:
    """One note for each reason, and a warning if persons were lost entirely."""
    found = []
    for d in kept.dropped:
        n = len(d.rows)
        what = f"{n:,} row{'s' * (n > 1)} dropped: {d.what}."
        found.append(Finding("note", f"dropped-{d.code}", what, panel.where(d.rows), n))
    if len(lost):
        what = f"{len(lost):,} of {panel.n_persons:,} persons have no row left."
        where = f"{panel.roles.person}: {some(lost.tolist())}"
        remedy = "Report how many persons were analysed; the notes on dropped rows say why."
        found.append(Finding("warning", "persons-lost", what, where, len(lost), remedy))
    return found


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
            found.append(Codes(np.full(len(panel), -1), np.array([], object)))
        else:
            raise column_unknown(name, panel.columns, term, "grouping factor")
    together = found[0]
    for other in found[1:]:
        together = _combined(together, other)
    return together


def grouping(name: str, all_rows: Codes, rows: np.ndarray, starts: np.ndarray) -> Grouping:
    """The grouping factor over the rows used; levels without a row are left out."""
    codes = all_rows.codes[rows]
    used = np.flatnonzero(np.bincount(codes + 1, minlength=1)[1:])
    position = np.full(len(all_rows.levels) + 1, -1, np.int32)
    position[used] = np.arange(len(used), dtype=np.int32)
    codes = position[codes]
    of_person = codes[starts[:-1]]
    constant = bool((codes == np.repeat(of_person, np.diff(starts))).all())
    levels = all_rows.levels[used]
    is_person = constant and len(used) == len(of_person) and len(np.unique(of_person)) == len(used)
    if is_person and not (of_person[1:] > of_person[:-1]).all():  # in another order: T1:12, T1:30, T2:4
        codes, levels = np.repeat(np.arange(len(used), dtype=np.int32), np.diff(starts)), levels[of_person]
    codes.flags.writeable = levels.flags.writeable = False
    return Grouping(name, codes, levels, constant, is_person)


def _column_codes(name: str, panel: Panel) -> Codes:
    if name == panel.roles.person:
        return Codes(panel.codes, panel.persons)
    if name == panel.roles.cluster and panel.clusters is not None and panel.cluster_codes is not None:
        return Codes(panel.cluster_codes.astype(np.int64), panel.clusters)
    labels = panel.labels(name)
    return Codes(labels.codes.astype(np.int64), labels.levels)


def _combined(a: Codes, b: Codes) -> Codes:
    there = (a.codes >= 0) & (b.codes >= 0)
    both = a.codes * max(len(b.levels), 1) + b.codes
    used, inverse = np.unique(both[there], return_inverse=True)
    codes = np.full(len(there), -1)
    codes[there] = inverse
    names = [f"{a.levels[u // len(b.levels)]}:{b.levels[u % len(b.levels)]}" for u in used.tolist()]
    return Codes(codes, np.array(names, object))


def _calls(e: Expression) -> list[Call]:
    inside = [call for part in parts(e) for call in _calls(part)]
    return [e, *inside] if isinstance(e, Call) else inside
