"""passed_on: what of a result and its data may stand in a file that is passed on; one rule for page, Word and tables.

- By default persons are 1, 2, 3, ... (panel/numbered.py), and findings tell no line, person or cell.
- `labels` keeps both as they are.
- `share` has nothing of single persons: no figure, table or number of fewer than `FEWEST`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import Argument, StudyError, Wording
from ..findings import Finding, Findings
from ..study import StudyTable
from ..study.records import DynamicModel, PersonEffects
from .cells import guarded

if TYPE_CHECKING:
    from ..panel import Panel
    from ..study import StudyResult

#: A count below this, and what rests on so few persons or sessions, is left out of a report that is shared.
FEWEST = 5
_LEFT_OUT = f"Counts below {FEWEST}, and numbers that rest on so few, are left out."


@dataclass(frozen=True, slots=True, eq=False)
class PassedOn:
    """panel : None if it was not given. read : findings of reading and scoring. share : whether nothing of single
    persons is told."""

    result: StudyResult
    panel: Panel | None
    read: tuple[Finding, ...]
    share: bool = False

    def tables(self) -> dict[str, StudyTable]:
        """Those of the result."""
        found = self.result.tables()
        return {name: without_small_cells(table) for name, table in found.items()} if self.share else found


def passed_on(
    result: StudyResult, panel: Panel | None = None, read: Iterable[Finding] = (), *, labels: bool, share: bool
) -> PassedOn:
    """The result, its Panel (the one that was analysed) and findings, as a file may tell them.

    Raises
    ------
    StudyError : labels in what is to be shared.
    """
    if labels and share:
        raise StudyError(
            Wording(_LABELS, " and ", _SHARE, " are two different reports."),
            remedy="Choose one: with the labels of persons, or without single persons.",
        )
    if labels:
        return PassedOn(result, panel, tuple(read))
    from ..panel import numbered

    persons, dynamic = result.persons, result.dynamic
    if isinstance(persons, PersonEffects):
        persons = _numbered(persons, share)
    if isinstance(dynamic, DynamicModel):
        dynamic = replace(dynamic, persons=_numbered(dynamic.persons, share))
    told = replace(result, persons=persons, dynamic=dynamic, findings=Findings(_told(result.findings, share)))
    if share:
        told = replace(told, course=tuple(point for point in told.course if point.persons >= FEWEST))
    known = None if panel is None else numbered(panel, result.study.columns)
    return PassedOn(told, known, _told(read, share), share)


def _numbered(persons: PersonEffects, share: bool) -> PersonEffects:
    """With numbers for labels; of what is shared, without the single persons."""
    effects = tuple(replace(one, person=one.number) for one in persons.effects)
    return replace(persons, effects=() if share else effects)


def key_file(result: StudyResult, panel: Panel) -> bytes:
    """Which number stands for which label, as CSV: role, number, label; for whoever may know."""
    from ..panel import cluster_numbers, person_numbers

    numbers = person_numbers(panel, result.study.columns)
    rows = [(panel.roles.person, int(n), guarded(str(label))) for n, label in zip(numbers, panel.persons, strict=True)]
    if panel.roles.cluster is not None and panel.clusters is not None:
        codes = cluster_numbers(panel, numbers)
        rows += [(panel.roles.cluster, int(n), guarded(str(one))) for n, one in zip(codes, panel.clusters, strict=True)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["role", "number", "label"])
    writer.writerows((guarded(role), number, label) for role, number, label in sorted(rows, key=lambda row: row[:2]))
    return out.getvalue().encode()


def without_small_cells(table: StudyTable) -> StudyTable:
    """The table without counts from 1 to 4, and without the numbers of a row that is of so few persons or sessions."""
    at = [i for i, column in enumerate(table.columns) if column.kind == "count" and column.key != "session"]
    base = {i for i in at if table.columns[i].key in ("persons", "n", "pairs")}
    numbers = {i for i, column in enumerate(table.columns) if column.kind != "text" and column.key != "session"}
    rows = []
    for row in table.rows:
        few = {i for i in at if isinstance(value := row[i], int | float) and 0 < value < FEWEST}
        gone = numbers if few & base else few
        rows.append(tuple(None if i in gone else cell for i, cell in enumerate(row)))
    changed = tuple(rows) != table.rows
    return replace(table, rows=tuple(rows), notes=(*table.notes, _LEFT_OUT)) if changed else table


_LABELS = Argument("labels=True", ("--labels",))
_SHARE = Argument("share=True", ("--share",))


def _told(findings: Iterable[Finding], share: bool) -> tuple[Finding, ...]:
    """Without data; of a shared report also without those of few cells or persons."""
    kept = (f for f in findings if not (share and 0 < f.count < FEWEST))
    return tuple(f.without_data() for f in kept)
