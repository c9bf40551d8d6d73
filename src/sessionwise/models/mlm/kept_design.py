"""KeptDesign: what a fit keeps of its Design and Panel. No session row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...designs import Design, Grouping, means_of_somebody
from ...designs.coding import Encoder, name_levels, same
from ...designs.rows_used import dropped_finding, lost_finding
from ...errors import GramError, some
from ...findings import Finding, Findings
from ...formula import Formula, show
from ...grams import joined
from ...mixed.groups import Groups
from ...panel.frame_kind import TableKind
from ...words import agree, counted

if TYPE_CHECKING:
    from ...panel import Panel


#: Of so many Grams it is said where rows were dropped.
MOST_PLACES = 5
#: Code of the finding that levels are in several Grams.
_SHARED = "levels-in-several-grams"
#: expression -> person -> mean.
Means = Mapping[str, Mapping[object, float]]


@dataclass(frozen=True, slots=True)
class DroppedRows:
    """Rows of the Panel that were not used for one reason: its code and words as in `Dropped`, how many, where."""

    code: str
    what: str
    n: int
    where: str


@dataclass(frozen=True, slots=True, eq=False)
class KeptDesign:
    """How the columns were made, and of how much.

    design : the Design without its rows, for `Design.apply`. n_rows, n_given, n_persons : rows used, rows of the
    Panel, persons used. dropped : the others, by reason. person, session : names of these columns. kind : of dataframe.
    means : person means for `within` and `between` that were given for the fit. shared : of each grouping factor the
    levels that were in more than one of the Grams that were added.
    """

    design: Design
    n_rows: int
    n_given: int
    n_persons: int
    dropped: tuple[DroppedRows, ...]
    person: str
    session: str
    kind: TableKind
    means: Means
    shared: Mapping[str, frozenset[object]] = field(default_factory=dict)

    @classmethod
    def of(cls, design: Design, panel: Panel, means: Means) -> KeptDesign:
        none = np.zeros(0, np.int64)
        bare = replace(
            design,
            matrix=np.zeros((0, len(design.names)), order="F"),
            starts=np.zeros(1, np.int64),
            persons=design.persons[:0],
            rows=none,
            sessions=none,
            groupings=tuple(replace(g, codes=none.astype(np.int32)) for g in design.groupings),
            dropped=tuple(replace(d, rows=none) for d in design.dropped),
        )
        dropped = tuple(DroppedRows(d.code, d.what, len(d.rows), panel.where(d.rows)) for d in design.dropped)
        return cls(
            bare,
            len(design.rows),
            len(panel),
            len(design.persons),
            dropped,
            panel.roles.person,
            panel.roles.session,
            TableKind.of(panel),
            means,
        )

    @property
    def why(self) -> list[tuple[str, int]]:
        """Reasons for which rows were dropped, and how many."""
        return [(d.what, d.n) for d in self.dropped]

    def applied(self, panel: Panel, *, response: bool = False, means: Means | None = None) -> Design:
        """The columns for another Panel; `means` that are given here stand above those given for the fit."""
        means_of_somebody(means or {}, panel)
        return self.design.apply(panel, response=response, means={**self.means, **(means or {})})

    def table(self, columns: dict[str, Any]) -> Any:
        """A dataframe of the kind that came in."""
        return self.kind.table(columns)


def together(kept: Sequence[KeptDesign], groups: Sequence[Groups]) -> KeptDesign:
    """Of the persons of all, who must differ, used or not. groups : their grouping factors.

    Raises
    ------
    GramError : a person in two of them.
    """
    first = kept[0]
    persons = joined([k.design.learned.persons for k in kept])
    dropped = _dropped_together(kept)
    lost = np.concatenate([k.design.lost for k in kept])
    n_persons = sum(k.n_persons for k in kept)
    shared = {g.name: _in_several(kept, g.name) for g in groups}
    said = [
        *_in_all(kept),
        *(_shared_finding(name, levels) for name, levels in shared.items() if levels),
        *(dropped_finding(d.code, d.what, d.n, d.where) for d in dropped),
    ]
    none = np.zeros(0, np.int32)
    groupings = [Grouping(g.name, none, g.labels, g.constant, g.is_person) for g in groups]
    learned = replace(
        first.design.learned,
        persons=persons,
        means={
            text: np.concatenate([k.design.learned.means[text] for k in kept]) for text in first.design.learned.means
        },
    )
    design = replace(
        first.design,
        groupings=tuple(sorted(groupings, key=lambda g: not g.is_person)),
        lost=lost,
        learned=learned,
        findings=Findings([*said, *lost_finding(lost, n_persons + len(lost), first.person)]),
    )
    means: dict[str, dict[object, float]] = {}
    for k in kept:
        for text, own in k.means.items():
            means.setdefault(text, {}).update(own)
    return replace(
        first,
        design=design,
        n_rows=sum(k.n_rows for k in kept),
        n_given=sum(k.n_given for k in kept),
        n_persons=n_persons,
        dropped=dropped,
        means=means,
        shared=shared,
    )


def coded_alike(kept: Sequence[KeptDesign]) -> None:
    """Stop where columns of several Grams mean different things.

    Raises
    ------
    GramError : what was learned from their rows differs, or the names of person and session do.
    """
    first = kept[0]
    for other in kept[1:]:
        if (first.person, first.session) != (other.person, other.session):
            raise GramError(
                f"the person is {first.person!r} in one Gram and {other.person!r} in another, the session "
                f"{first.session!r} and {other.session!r}.",
                remedy="Name the columns alike.",
            )
        mine, theirs = first.design.learned.encoders, other.design.learned.encoders
        for name, own in mine.items():
            if not same(own, theirs[name]):
                raise _coded_differently(own, theirs[name], first.design.formula)


def _coded_differently(one: Encoder, other: Encoder, formula: Formula) -> GramError:
    name, where = show(one.expression), f"formula {formula.text!r}"
    if one.kind != other.kind:
        return GramError(
            f"{name} holds numbers in one Gram and labels in another.",
            where=where,
            remedy="Give the column one type in all tables, and make the Grams again.",
        )
    if one.kind == "categorical":
        odd = [level for level in (*one.levels, *other.levels) if (level in one.levels) != (level in other.levels)]
        what = (
            f"has other values in one Gram than in another: {some(odd)}" if odd else "has its values in another order"
        )
        return GramError(f"{name} {what}.", where=where, remedy=name_levels(one.expression, one.levels + other.levels))
    return GramError(
        f"{name} was made differently in two Grams: each learned its knots or means from its own rows.",
        where=where,
        remedy="Make all others like one of them: model.gram(panel, like=first).",
    )


def _in_several(kept: Sequence[KeptDesign], group: str) -> frozenset[object]:
    """Levels of a grouping factor that several of these have, or had when they were added."""
    before = frozenset().union(*(k.shared.get(group, frozenset()) for k in kept))
    found = Counter(level for k in kept for level in k.design.grouping(group).levels.tolist())
    return before | {level for level, n in found.items() if n > 1}


def _shared_finding(group: str, levels: frozenset[object]) -> Finding:
    n = len(levels)
    what = f"{counted(n, 'level')} of {group} {agree(n, 'is', 'are')} in more than one Gram, and taken for the same."
    remedy = "If they are different ones with the same label, put the site's name before them and make the Grams again."
    return Finding("note", _SHARED, what, f"{group}: {some(sorted(levels, key=str))}", n, remedy)


def _dropped_together(kept: Sequence[KeptDesign]) -> tuple[DroppedRows, ...]:
    """Reason by reason, in the order in which they came."""
    found: dict[tuple[str, str], DroppedRows] = {}
    for d in (d for k in kept for d in k.dropped):
        so_far = found.get((d.code, d.what), DroppedRows(d.code, d.what, 0, ""))
        told = so_far.where.count("; ") >= MOST_PLACES - 1
        where = so_far.where if told else "; ".join(filter(None, (so_far.where, d.where)))
        found[d.code, d.what] = DroppedRows(d.code, d.what, so_far.n + d.n, where)
    return tuple(found.values())


def _in_all(kept: Sequence[KeptDesign]) -> list[Finding]:
    """Findings about terms that hold in all that have rows."""
    filled = [k for k in kept if k.n_rows]
    about_rows = {"persons-lost", _SHARED, *(f"dropped-{d.code}" for k in kept for d in k.dropped)}
    said = [[f for f in k.design.findings if f.code not in about_rows] for k in filled]
    return [f for f in said[0] if all(f in others for others in said[1:])] if said else []
