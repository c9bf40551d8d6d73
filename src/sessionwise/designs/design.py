"""The Design itself: what it holds, with shapes. It is made in build.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DesignError
from ..findings import Findings
from ..formula import Formula
from ..options import A_DICT, A_NAME, PANEL, YES_OR_NO, known_name, takes
from .coding import Encoder, Factor
from .combination import Combination
from .values import Reason

if TYPE_CHECKING:
    from ..panel import Panel


@dataclass(frozen=True, slots=True, eq=False)
class TermColumns:
    """A term of the fixed part and the numbers of its columns in the matrix; none left if all were aliased."""

    term: str
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RandomColumns:
    """A random term: the name of its grouping factor, the numbers of its columns, whether they may correlate."""

    group: str
    columns: tuple[int, ...]
    correlated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """A grouping factor over the rows used.

    codes : int32 (n_rows,), positions in `levels`; -1 only after `apply`, for rows without this grouping factor.
    levels : (n_levels,) labels that occur; combinations of several columns are text, 'T01:12'.
    constant : whether no person has rows in two levels.
    is_person : whether levels and persons are the same division of the rows, level i being persons[i].
    """

    name: str
    codes: np.ndarray
    levels: np.ndarray
    constant: bool
    is_person: bool


@dataclass(frozen=True, slots=True, eq=False)
class Dropped:
    """Rows dropped for one reason, the first in the order response, fixed part, random part, grouping factors.

    reason : why.
    rows : int64 (m,), rows of the Panel, ascending.
    """

    reason: Reason
    rows: np.ndarray

    @property
    def code(self) -> str:
        """Short and stable: 'response-missing', 'missing', 'no-previous', 'previous-skipped', 'previous-missing',
        'no-next', 'next-skipped', 'next-missing', 'never-observed', 'too-few-to-detrend', 'not-defined',
        'group-missing'."""
        return self.reason.code

    @property
    def what(self) -> str:
        """The reason in words."""
        return self.reason.words()


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What `apply` needs: encoders by variable, fixed columns that are left out, person means of the design's Panel."""

    encoders: Mapping[str, Encoder]
    aliased: tuple[Combination, ...]
    persons: np.ndarray
    means: Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Columns of a model for the rows used.

    formula : what it was made from.
    names : k column names, the response first, then fixed columns, then those of random terms alone.
    matrix : float64 (n_rows, k), Fortran order, read-only, finite (the response may be NaN after `apply`).
    fixed : numbers of the fixed columns, in order.
    terms : the fixed terms and their columns.
    random : the random terms and their columns, in the formula's order.
    groupings : grouping factors, persons first; empty without random terms.
    persons : (n_persons,) labels of the persons with a row left, ascending.
    starts : int64 (n_persons + 1,), rows starts[i]:starts[i + 1] belong to persons[i].
    rows : int64 (n_rows,), ascending rows of the Panel.
    sessions : int64 (n_rows,), session numbers.
    dropped : rows of the Panel that are not used, by reason; together with `rows` every row once.
    lost : labels of the persons of whom no row is left.
    aliased : fixed columns left out because they are combinations of others.
    factors : column of the fixed or random part -> the Factors whose product it is; none of the intercept.
    findings : the same for people to read.
    """

    formula: Formula
    names: tuple[str, ...]
    matrix: np.ndarray
    fixed: tuple[int, ...]
    terms: tuple[TermColumns, ...]
    random: tuple[RandomColumns, ...]
    groupings: tuple[Grouping, ...]
    persons: np.ndarray
    starts: np.ndarray
    rows: np.ndarray
    sessions: np.ndarray
    dropped: tuple[Dropped, ...]
    lost: np.ndarray
    aliased: tuple[str, ...]
    factors: Mapping[str, tuple[Factor, ...]]
    findings: Findings
    learned: Learned = field(repr=False)

    @property
    def response(self) -> str:
        """Name of the response, column 0."""
        return self.names[0]

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """Name -> column (n_rows,), views of the matrix."""
        return {name: self.matrix[:, j] for j, name in enumerate(self.names)}

    @property
    def roles(self) -> tuple[str, ...]:
        """For each column 'response', 'fixed', 'random', or 'fixed+random'."""
        random = {j for term in self.random for j in term.columns}
        said = ["fixed+random" if j in random else "fixed" for j in range(len(self.names))]
        return ("response", *(said[j] if j in set(self.fixed) else "random" for j in range(1, len(self.names))))

    @property
    def n_rows_given(self) -> int:
        """Rows of the Panel."""
        return len(self.rows) + sum(len(d.rows) for d in self.dropped)

    @takes(DesignError, name=A_NAME)
    def grouping(self, name: str) -> Grouping:
        """The grouping factor of that name .

        Raises
        ------
        DesignError : it is none.
        """
        groupings = {g.name: g for g in self.groupings}
        known_name("grouping factor", name, groupings, DesignError)
        return groupings[name]

    def person_means(self) -> dict[str, dict[object, float]]:
        """What `within` and `between` used: expression -> person -> mean; give it to `apply` to use the same again."""
        persons = self.learned.persons.tolist()
        return {
            text: {p: m for p, m in zip(persons, means.tolist(), strict=True) if m == m}
            for text, means in self.learned.means.items()
        }

    @takes(DesignError, panel=PANEL, response=YES_OR_NO, means=A_DICT)
    def apply(
        self, panel: Panel, *, response: bool = False, means: Mapping[str, Mapping[object, float]] | None = None
    ) -> Design:
        """A Design of other data with these columns, with the levels, knots and centring learned here.

        Parameters
        ----------
        panel : has the columns of the formula; response and grouping factors may be absent or missing.
        response : whether rows without the response or a grouping factor are dropped. If not, they are kept, with
            NaN and code -1.
        means : expression -> person -> mean for `within` and `between`, such as {"wai_sr": {12: 5.3}} or
            `design.person_means()`. Persons that are not in it, and expressions, get the mean over their sessions
            in `panel`: what `within` means for a person depends on the sessions given.

        Raises
        ------
        DesignError : values that were not there when the levels were learned, infinite values, no row left, a column
            that was left out as a combination of others and is none here.
        FormulaError : a column of the formula is not in the panel.
        """
        from .build import applied

        return applied(self, panel, response, means or {})

    def __repr__(self) -> str:
        return (
            f"<Design {self.formula.text.strip()}; {len(self.rows):,} of {self.n_rows_given:,} rows, "
            f"{len(self.persons):,} persons, {len(self.names)} columns>"
        )


@dataclass(frozen=True, slots=True, eq=False)
class PartialDesign:
    """The design of some of a study's persons. design : with all columns, whatever they are in these rows.
    aliased : the fixed columns that are combinations of others in these rows, or zero."""

    design: Design
    aliased: tuple[str, ...]


def without(design: Design, aliased: tuple[str, ...]) -> Design:
    """The design of the same rows that lacks these fixed columns, which are combinations of others; the others keep
    their order. What `apply` makes is unchanged."""
    if not aliased:
        return design
    fixed = [design.names[c] for c in design.fixed if design.names[c] not in aliased]
    of_random = [design.names[c] for term in design.random for c in term.columns]
    names = (design.response, *dict.fromkeys([*fixed, *of_random]))
    at = {name: j for j, name in enumerate(names)}
    order = [0, *(design.names.index(name, 1) for name in names[1:])]

    def numbers(columns: tuple[int, ...], kept: Sequence[str]) -> tuple[int, ...]:
        return tuple(at[design.names[c]] for c in columns if design.names[c] in kept)

    return replace(
        design,
        names=names,
        matrix=np.asfortranarray(design.matrix[:, order]),
        fixed=tuple(at[name] for name in fixed),
        terms=tuple(replace(t, columns=numbers(t.columns, fixed)) for t in design.terms),
        random=tuple(replace(t, columns=numbers(t.columns, of_random)) for t in design.random),
        aliased=(*design.aliased, *aliased),
    )
