"""Panel: person × session, long, sorted, unique, with named roles. The one data type every part takes.

A Panel is a view: it keeps the table as it came (types, categories, labels) and beside it the
integer structure of roles.py. A column becomes float64 with NaN for missing only when it is asked
for, so a million sessions of forty items cost nothing until someone needs them.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from ..errors import PanelError, some
from ..findings import Finding, Findings
from ..forked import must_not_be_forked
from ..options import A_DICT, A_NAME, FINDINGS, NUMBERS, PERSONS, RECORDS, known_name, takes, whole_number
from ..words import counted
from .as_text import as_text
from .constancy import gathered, own_values
from .episodes import several_treatments, with_unit
from .frames import attach, column, eager, holds_numbers, numbers, restore, text_among_numbers
from .labels import levels
from .roles import PersonRows, Roles, structure
from .table import Origin, Table

if TYPE_CHECKING:
    import polars as pl

#: Larger numbers are damage, not data: `check` warns of them, `describe` takes them as missing.
LARGEST = 1e100


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A column of labels: codes int32 (n_rows,), -1 for missing; levels (n_levels,)."""

    codes: np.ndarray
    levels: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """What a Panel is made of.

    given : names of the frame's columns; to ask the frame for them takes longer than to fetch a column.
    derived : columns added later, read-only float64 in the Panel's row order.
    """

    frame: nw.DataFrame[Any]
    given: tuple[str, ...]
    origin: Origin
    lazy: nw.Implementation | None
    roles: Roles
    structure: PersonRows
    findings: Findings
    derived: Mapping[str, np.ndarray] = field(default_factory=dict)
    records: tuple[Any, ...] = ()
    variable_labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)


class Panel:
    """Sessions nested in persons, checked and sorted.

    Parameters
    ----------
    table : any dataframe (pandas, polars, pyarrow, DuckDB, ...) or a Table from `read`.
    person, session : columns that say whose row it is and which session (whole numbers; one row
        for each person and session).
    cluster : column of therapists, clinics, ...; may be missing in single rows and may change
        within a person.
    time : column of dates or numbers; may be that of the sessions.
    episode : column that tells the treatments of a person apart, where some had several. Each treatment is then a unit
        of its own, called by a column 'person_episode' that is added; persons are a level above (docs/reading.md).

    Attributes
    ----------
    roles : Roles, the column names given.
    persons : (n_persons,) labels as in the file, ascending; of treatments, such as '1001:2', with `episode`.
    starts : int64 (n_persons + 1,), rows starts[i]:starts[i + 1] belong to persons[i].
    sessions : int64 (n_rows,) session numbers, ascending within a person.
    clusters, cluster_codes : labels (n_clusters,) and int32 codes (n_rows,), -1 missing; or None.
    times : float64 (n_rows,), days since 1970-01-01 where dates were given; or None.
    findings : what was found or done when reading, building and scoring, see `check` for more.
    records : what made the added columns, such as the ScoreRecord of each instrument scored.
    variable_labels, value_labels : of columns of an SPSS, Stata or SAS file, as in its Table; else empty.

    Raises
    ------
    PanelError : a role's column is not there, has missing labels, sessions are not whole numbers,
        or a person has two rows for one session. `check(table, person=..., session=...)` lists
        everything wrong at once.
    """

    __slots__ = ("_parts",)
    _parts: _Parts

    @takes(PanelError, person=A_NAME, session=A_NAME, cluster=A_NAME, time=A_NAME, episode=A_NAME)
    def __init__(
        self,
        table: Any,
        *,
        person: str,
        session: str,
        cluster: str | None = None,
        time: str | None = None,
        episode: str | None = None,
    ) -> None:
        must_not_be_forked()
        said = table.findings if isinstance(table, Table | Panel) else Findings()
        records = table.records if isinstance(table, Panel) else ()
        frame, origin, lazy = table._as_table() if isinstance(table, Panel) else eager(table)
        roles = Roles.given(person, session, cluster, time, episode)
        built, findings = structure(frame, roles, origin)
        findings.stop_on_error(PanelError)
        assert built is not None
        if roles.episode is not None:
            frame = with_unit(frame, roles.person, built.persons, built.starts, built.order)
            findings += Findings([several_treatments(frame, person, roles.episode, len(built.persons))])
        labels = (table.variable_labels, table.value_labels) if isinstance(table, Table | Panel) else ({}, {})
        parts = _Parts(frame, tuple(frame.columns), origin, lazy, roles, built, said + findings, {}, records, *labels)
        object.__setattr__(self, "_parts", parts)

    def _like(self, **changes: Any) -> Panel:
        """A Panel that differs from this one in the parts named."""
        return _of(replace(self._parts, **changes))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Panel is read-only; with_columns gives a new one (tried to set {name!r})")

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self._parts,)

    @property
    def roles(self) -> Roles:
        return self._parts.roles

    @property
    def findings(self) -> Findings:
        return self._parts.findings

    @property
    def records(self) -> tuple[Any, ...]:
        return self._parts.records

    @property
    def variable_labels(self) -> Mapping[str, str]:
        return self._parts.variable_labels

    @property
    def value_labels(self) -> Mapping[str, Mapping[Any, str]]:
        return self._parts.value_labels

    @property
    def _frame(self) -> nw.DataFrame[Any]:
        return self._parts.frame

    @property
    def _structure(self) -> PersonRows:
        return self._parts.structure

    @property
    def _derived(self) -> Mapping[str, np.ndarray]:
        return self._parts.derived

    # --- who and when ---------------------------------------------------------------------------

    @property
    def persons(self) -> np.ndarray:
        return self._structure.persons

    @property
    def starts(self) -> np.ndarray:
        return self._structure.starts

    @property
    def sessions(self) -> np.ndarray:
        return self._structure.sessions

    @property
    def clusters(self) -> np.ndarray | None:
        return self._structure.clusters

    @property
    def cluster_codes(self) -> np.ndarray | None:
        return self._structure.cluster_codes

    @property
    def times(self) -> np.ndarray | None:
        return self._structure.times

    @property
    def codes(self) -> np.ndarray:
        """int64 (n_rows,): position in `persons` of each row's person."""
        return np.repeat(np.arange(self.n_persons), self.sessions_per_person)

    @property
    def n_persons(self) -> int:
        return len(self.persons)

    @property
    def is_one_treatment_each(self) -> bool:
        """Whether no person has several treatments, so far as the role `episode` tells."""
        whole = self.roles.whole_person
        return whole is None or self.series(whole).n_unique() == self.n_persons

    @property
    def sessions_per_person(self) -> np.ndarray:
        """int64 (n_persons,): how many rows each person has."""
        return np.diff(self.starts)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column, roles included, in the table's order, added ones last."""
        given = self._parts.given
        return (*given, *(name for name in self._derived if name not in given))

    def __len__(self) -> int:
        return len(self.sessions)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._parts.given or name in self._derived)

    # --- columns --------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> np.ndarray:
        """A numeric column as read-only float64 (n_rows,), NaN for missing.

        Raises
        ------
        PanelError : no such column, or it holds text or dates (`labels` gives those).
        """
        if name in self._derived:
            return self._derived[name]
        self._must_have(name)
        values = numbers(self._frame, name)
        if values is None:
            raise self._not_numeric(name)
        order = self._structure.order
        return _frozen(values.view() if order is None else values[order])

    def series(self, name: str) -> pl.Series:
        """A column with its own type as a polars Series (n_rows,), null for missing, in this Panel's order.

        Raises
        ------
        PanelError : no such column.
        """
        import polars as pl

        must_not_be_forked()
        self._must_have(name)
        if name in self._derived:
            return pl.Series(name, self._derived[name], nan_to_null=True)
        series = column(self._frame, name)
        order = self._structure.order
        return series if order is None else series.gather(order)

    def labels(self, name: str) -> Labels:
        """A column as labels: categories in their own order, anything else ascending.

        Raises
        ------
        PanelError : no such column.
        """
        self._must_have(name)
        names, codes = levels(self.series(name))
        return Labels(_frozen(codes), _frozen(names))

    def is_numeric(self, name: str) -> bool:
        """Whether `panel[name]` gives numbers."""
        self._must_have(name)
        return name in self._derived or holds_numbers(self._frame, name)

    def is_constant(self, name: str) -> bool:
        """Whether no person has two different values of a column, as with gender or a diagnosis at intake.

        Rows without a value (missing, or blank text) do not count against it, nor do persons without any.

        Parameters
        ----------
        name : a column of any type; text is compared sign by sign, numbers exactly.

        Raises
        ------
        PanelError : no such column.
        """
        return not len(own_values(self.series(name), self.starts).changing)

    def per_person(self, name: str) -> pl.Series:
        """The value that each person has in a column that is constant within persons.

        Parameters
        ----------
        name : a column for which `is_constant` holds.

        Returns
        -------
        polars Series (n_persons,) with the column's own type, in the order of `persons`: the value of all the person's
        rows that have one, null for a person without any.

        Raises
        ------
        PanelError : no such column, or a person has two different values in it.
        """
        series = self.series(name)
        own = own_values(series, self.starts)
        if len(own.changing):
            raise PanelError(
                f"column {name!r} changes within persons.",
                where=f"{counted(len(own.changing), 'person')}, such as {self.roles.person} "
                f"{self.persons[own.changing[0]]}",
                remedy="Use a value that belongs to the person, such as that of the first session.",
            )
        return gathered(series, own.first)

    def _must_have(self, name: str) -> None:
        if name not in self:
            where = f"columns: {some(self.columns, 12)}"
            remedy = "Use one of these columns, or score the instrument first."
            known_name("column", name, self.columns, PanelError, where=where, remedy=remedy)

    def _not_numeric(self, name: str) -> PanelError:

        series = column(self._frame, name)
        kind = "dates" if series.dtype.is_temporal() else "text"
        where = f"column {name!r}"
        remedy = f"Use panel.labels({name!r}) for categories."
        bad = text_among_numbers(series)
        if len(bad):
            where += f": {as_text(series)[int(bad[0])]!r} in {self._parts.origin.say(bad)}"
            remedy = "Correct these cells, or declare them missing."
        return PanelError(f"column {name!r} holds {kind}, not numbers.", where=where, remedy=remedy)

    # --- new panels from this one ---------------------------------------------------------------

    @takes(PanelError, columns=A_DICT, findings=FINDINGS, records=RECORDS)
    def with_columns(
        self, columns: Mapping[str, np.ndarray], findings: Iterable[Finding] = (), records: Iterable[Any] = ()
    ) -> Panel:
        """This Panel and the numeric `columns`, each (n_rows,) in this Panel's row order.

        A column of the same name is replaced; roles cannot be. Read-only float64 arrays are kept as
        they are, others copied. `findings` and `records` of how they were made are added to the Panel's.

        Raises
        ------
        PanelError : wrong length, or the name of a role.
        """
        added = {}
        for name, values in columns.items():
            if name in self.roles.taken().values():
                raise PanelError(
                    f"column {name!r} has a role and cannot be replaced.", remedy="Build a new Panel from the table."
                )
            try:
                given = np.asarray(values)
                given = given if given.dtype == np.float64 else given.astype(np.float64)
            except (TypeError, ValueError):
                raise PanelError(
                    f"column {name!r} is not made of numbers.", remedy="Give an array of numbers."
                ) from None
            base = given if given.base is None else given.base
            owned = isinstance(base, np.ndarray) and not base.flags.writeable
            taken = given.dtype == np.float64 and owned and not given.flags.writeable  # nobody can change it: no copy
            array = given if taken else np.array(given, np.float64)
            if array.shape != (len(self),):
                raise PanelError(
                    f"column {name!r} has shape {array.shape}; this Panel has {len(self):,} rows.",
                    remedy="Give one number for each row, in the Panel's order.",
                )
            array.flags.writeable = False
            added[name] = array
        return self._like(
            derived={**self._derived, **added},
            findings=self.findings + Findings(findings),
            records=(*self.records, *records),
        )

    @takes(PanelError, persons=PERSONS)
    def subset(self, persons: Iterable[Any] | np.ndarray) -> Panel:
        """The Panel of some persons, by label or by a boolean mask (n_persons,).

        Raises
        ------
        PanelError : an unknown label, or a mask of the wrong length.
        """
        keep = self._person_mask(persons)
        rows = np.repeat(keep, self.sessions_per_person)
        derived = {name: _frozen(values[rows]) for name, values in self._derived.items()}
        return self._like(structure=self._structure.of(keep), derived=derived)

    def _person_mask(self, persons: Iterable[Any] | np.ndarray) -> np.ndarray:
        wanted = persons if isinstance(persons, np.ndarray) else np.asarray(list(persons), dtype=object)
        if len(wanted) and all(isinstance(label, bool) for label in wanted.tolist()):
            wanted = wanted.astype(bool)
        if wanted.dtype == bool:
            if wanted.shape != (self.n_persons,):
                raise PanelError(
                    f"the mask has shape {wanted.shape}; this Panel has {self.n_persons:,} persons.",
                    remedy="Give one true or false for each of panel.persons.",
                )
            return wanted
        position = {label: i for i, label in enumerate(self.persons.tolist())}
        keep = np.zeros(self.n_persons, bool)
        unknown = [label for label in wanted.tolist() if label not in position]
        if unknown:
            raise PanelError(
                f"{len(unknown)} of the persons asked for are not in this Panel: {some(unknown)}.",
                remedy="panel.persons lists the labels.",
            )
        keep[[position[label] for label in wanted.tolist()]] = True
        return keep

    # --- back to the user -----------------------------------------------------------------------

    def to_frame(self) -> Any:
        """A dataframe of the kind that came in, every column with its type, sorted, added ones last."""
        frame = self._frame
        if self._structure.order is not None:
            frame = frame[self._structure.order]
        return restore(attach(frame, self._derived), self._parts.lazy)

    def _as_table(self) -> tuple[nw.DataFrame[Any], Origin, nw.Implementation | None]:
        """The rows as a new table, which still know where they came from."""
        order = np.arange(len(self)) if self._structure.order is None else self._structure.order
        old = self._parts.origin
        numbers = old.first + order if old.numbers is None else old.numbers[order]
        frame = attach(self._frame[order], self._derived)
        return frame, replace(old, numbers=numbers), self._parts.lazy

    @takes(PanelError, rows=NUMBERS, most=whole_number(0))
    def where(self, rows: Iterable[int], most: int = 3) -> str:
        """Rows of this Panel in the user's words: 'patient 12, session 3 (line 47); ...'."""
        rows = rows if isinstance(rows, np.ndarray) else list(rows)
        order = self._structure.order
        said = []
        for row in map(int, rows[:most]):
            person = self.persons[np.searchsorted(self.starts, row, side="right") - 1]
            place = self._parts.origin.say([row if order is None else order[row]])
            said.append(f"{self.roles.person} {person}, {self.roles.session} {self.sessions[row]} ({place})")
        rest = len(rows) - most
        return "; ".join(said) + (f" and {rest:,} more" if rest > 0 else "")

    def __eq__(self, other: object) -> bool:
        """Same roles, same columns, same values; the kind of dataframe and the first row order do not matter."""
        if not isinstance(other, Panel):
            return NotImplemented
        if self.roles != other.roles or self.columns != other.columns or len(self) != len(other):
            return False
        mine, theirs = eager(self.to_frame())[0], eager(other.to_frame())[0]
        return all(_same(column(mine, name), column(theirs, name)) for name in self.columns)

    __hash__ = None  # type: ignore[assignment]

    def _facts(self) -> str:
        counts = self.sessions_per_person
        text = f"{self.n_persons:,} persons, {len(self):,} sessions"
        if self.roles.whole_person is not None:
            persons = self.series(self.roles.whole_person).n_unique()
            text = f"{self.n_persons:,} treatments of {persons:,} persons, {len(self):,} sessions"
        if len(counts):
            text += f" ({counts.min()} to {counts.max()} each, median {np.median(counts):g})"
        if self.clusters is not None:
            text += f", {len(self.clusters):,} clusters"
        return text + f", {len(self.columns)} columns"

    def __repr__(self) -> str:
        roles = ", ".join(f"{role}={name!r}" for role, name in self.roles.named().items())
        return f"<Panel {self._facts()}; {roles}>"

    def _repr_html_(self) -> str:
        head = self._like(structure=self._structure.head(10), derived={n: v[:10] for n, v in self._derived.items()})
        frame = eager(head.to_frame())[0]
        names = "".join(f"<th>{html.escape(c)}</th>" for c in frame.columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{'' if v is None or v != v else html.escape(str(v))}</td>" for v in row) + "</tr>"
            for row in zip(*(column(frame, name).to_list() for name in frame.columns), strict=True)
        )
        more = f"<p>first 10 of {len(self):,} rows</p>" if len(self) > 10 else ""
        return f"<p><b>Panel</b> {html.escape(self._facts())}</p><table><tr>{names}</tr>{rows}</table>{more}"


def _of(parts: _Parts) -> Panel:
    panel = object.__new__(Panel)
    object.__setattr__(panel, "_parts", parts)
    return panel


def _unpickled(parts: _Parts) -> Panel:
    """Pickling forgets that arrays are read-only."""
    derived = {name: _frozen(values) for name, values in parts.derived.items()}
    return _of(replace(parts, structure=parts.structure.frozen(), derived=derived))


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _same(a: Any, b: Any) -> bool:
    if a.dtype.is_numeric() and b.dtype.is_numeric():
        return bool(a.equals(b, check_dtypes=False))
    import polars as pl

    if pl.String in (a.dtype, b.dtype) or isinstance(a.dtype, pl.Enum | pl.Categorical):
        return bool(a.cast(pl.String).equals(b.cast(pl.String)))
    return bool(a.equals(b, check_dtypes=False))
