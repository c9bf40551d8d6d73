"""One row a person -> one row a session, and back.

Patterns name the columns: '{}' or '{session}' stands for the session's number, '{item}' for an item's number:
'core_{}' makes one column 'core', 'core{item}_{session}' makes 'core1', 'core2', ... Words are listed in their order:
'core_{pre|post|fu}'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import Argument, ReadError, Wording, read_option, some
from ..findings import Finding, Findings
from ..options import A_DICT, A_NAME, NAMES, YES_OR_NO, takes
from ..panel.exact import each, exact
from ..panel.table import Table
from ..words import agree, counted
from .headers import must_have
from .patterns import Patterns, fill, match, named, near_misses, session_words

if TYPE_CHECKING:
    import polars as pl

_ROW = "\0row"


@takes(ReadError, patterns=NAMES | A_DICT, person=A_NAME, session=A_NAME, keep=YES_OR_NO)
def wide_to_long(data: Any, patterns: Patterns, *, person: str, session: str = "session", keep: bool = False) -> Table:
    """One row a person to one row a person and session.

    Parameters
    ----------
    data : Table or any dataframe, one row a person.
    patterns : one pattern, several, or {new column: pattern}; see the module's first lines.
    person : the column that identifies persons.
    session : name of the new column with the session numbers, which come from the column names.
    keep : keep sessions for which every turned column is missing; otherwise they are left out and counted.

    Returns
    -------
    Table : person, the new session column, other columns (repeated), then the turned columns.

    Raises
    ------
    ReadError : a pattern fits no column, a person has two rows or no identifier, a name is taken.
    """
    import polars as pl

    table = as_table(data)
    pairs = named(patterns, table.source)
    found = match(table, pairs, person)
    _one_row_each(table, person)
    turned = {c for by_session in found.values() for c in by_session.values()}
    others = [c for c in table.columns if c not in turned and c != person]
    _names_free([session, *found], [person, *others], table.source)
    types, findings = _types(table, found)
    findings += _near(near_misses(table, pairs, turned | {person}), table.source)
    long = _stacked(table.frame, found, types, person, session, others)
    if not keep:
        held = long.filter(~pl.all_horizontal(c.is_null() for c in each(found)))
        findings += _left_out(long, held, person, table.source)
        long = held
    rows = long[_ROW].to_numpy()
    numbers = sorted({n for by_session in found.values() for n in by_session})
    what = f"{counted(len(turned), 'column')} {agree(len(turned), 'was', 'were')} turned into {some(found)}, by "
    what += f"session {numbers[0]} to {numbers[-1]}{_numbered_words([pattern for _, pattern in pairs])}."
    note = Finding("note", "wide-to-long", what, where=table.source, count=len(turned))
    origin = table.row_numbers
    return replace(
        table,
        frame=long.drop(_ROW),
        findings=table.findings + Findings([note, *findings]),
        variable_labels=_carried(table.variable_labels, found),
        value_labels=_carried(table.value_labels, found),
        row_numbers=rows + (table.first_row if table.source else 0) if origin is None else origin[rows],
    )


def _numbered_words(patterns: Sequence[str]) -> str:
    """ ", 'pre' being 1, 'post' 2", if sessions were words."""
    words = {word: number for pattern in patterns for word, number in session_words(pattern).items()}
    said = [f"{word!r} {'being ' * (not i)}{number}" for i, (word, number) in enumerate(words.items())]
    return f", {some(said, 12)}" if said else ""


def _near(missed: Mapping[str, str], source: str) -> list[Finding]:
    """A warning on columns that are named nearly like a pattern and were left as they are."""
    if not missed:
        return []
    n = len(missed)
    what = f"{counted(n, 'column')} {agree(n, 'is', 'are')} named nearly like a pattern of wide= and "
    what += (
        f"{agree(n, 'was', 'were')} left as they are: "
        + some([f"{c!r} (pattern {p!r})" for c, p in missed.items()])
        + "."
    )
    remedy = "If they belong to it, rename them in the file, or give another pattern for them."
    return [Finding("warning", "wide-near-miss", what, f"{source}, columns {some(missed, 12)}", n, remedy)]


def _names_free(new: Sequence[str], kept: Sequence[str], source: str) -> None:
    """Raise ReadError if a new column would be named like one that stays, or like another new one."""
    for i, name in enumerate(new):
        if name in kept or name in new[:i]:
            raise ReadError(
                f"The new column {name!r} would stand beside one of the same name.",
                where=source,
                remedy=f"Name it otherwise: session=, or {{'{name}_score': pattern}} in wide=.",
            )


def _stacked(
    frame: pl.DataFrame,
    found: Mapping[str, Mapping[int, str]],
    types: Mapping[str, pl.DataType],
    person: str,
    session: str,
    others: Sequence[str],
) -> pl.DataFrame:
    """One row a person and session, in the order of the persons' rows, whose positions are in column `_ROW`."""
    import polars as pl

    row = pl.int_range(pl.len(), dtype=pl.Int64).alias(_ROW)
    parts = [
        frame.select(
            row,
            exact(person),
            pl.lit(n, dtype=pl.Int64).alias(session),
            *each(others),
            *(
                (exact(cols[n]).cast(types[c]) if n in cols else pl.lit(None, dtype=types[c])).alias(c)
                for c, cols in found.items()
            ),
        )
        for n in sorted({n for cols in found.values() for n in cols})
    ]
    return pl.concat(parts).sort(exact(_ROW), exact(session), maintain_order=True)


@takes(ReadError, columns=NAMES | A_DICT, person=A_NAME, session=A_NAME)
def long_to_wide(
    data: Any, columns: str | Sequence[str] | Mapping[str, str], *, person: str, session: str = "session"
) -> Table:
    """One row a person and session to one row a person; the reverse of `wide_to_long`.

    `columns` are the columns that vary over sessions; each becomes 'column_1', 'column_2', ..., or what its pattern
    says ({'core': 'core_s{}'}). All others must be constant within persons. Persons and sessions keep the order in
    which they first stand, and in numbers, respectively.

    Raises
    ------
    ReadError : a column is not there, another varies within a person, a person has a session twice or one without
        a number.
    """
    import polars as pl

    table = as_table(data)
    if isinstance(columns, str):
        columns = [columns]
    patterns = dict(columns) if isinstance(columns, Mapping) else {c: f"{c}_{{}}" for c in columns}
    for name in (person, session, *patterns):
        must_have(table.columns, name, table.source)
    if not patterns or person in patterns or session in patterns:
        raise ReadError(
            "The columns to be turned must be named, without those of persons and sessions.",
            where=table.source,
            remedy="Name the columns that vary over sessions.",
        )
    sessions = table[session]
    if not sessions.dtype.is_integer() or sessions.null_count():
        raise ReadError(
            f"Column {session!r} should number the sessions, but has missing values or is not whole numbers.",
            where=table.source,
            remedy="Correct the session numbers.",
        )
    twice = table.frame.select(b=pl.struct(exact(person), exact(session)).is_duplicated())["b"].arg_true().to_list()
    if twice:
        raise ReadError(
            "A person has the same session twice.",
            where=table.origin.say(twice),
            remedy="Take one of the rows out, or number the sessions anew.",
        )
    others = [c for c in table.columns if c not in (person, session, *patterns)]
    _constant(table, others, person)
    return replace(table, frame=_pivoted(table, patterns, person, session, others), row_numbers=None, source="")


def _pivoted(
    table: Table, patterns: Mapping[str, str], person: str, session: str, others: Sequence[str]
) -> pl.DataFrame:
    """One row a person; the columns named by their patterns, those of one pattern side by side."""

    numbers = sorted(table[session].unique().to_list())
    kept = [person, *others]
    order = list(kept)
    names: dict[str, str] = {}
    for i, (column, pattern) in enumerate(patterns.items()):
        for n, new in fill(pattern, column, numbers, table.source).items():
            if new in order:
                raise ReadError(
                    f"The new column {new!r} would stand beside one of the same name.",
                    where=table.source,
                    remedy="Give another pattern, with {} for the session's number.",
                )
            order.append(new)
            names[f"\0{i}_{n}" if len(patterns) > 1 else str(n)] = new
    # Under names of their own while turned: polars calls them 'value_session', or 'session' if there is one value.
    inner = {c: f"\0k{i}" for i, c in enumerate(kept)} | {session: "\0s"}
    values = {c: f"\0{i}" for i, c in enumerate(patterns)}
    turned = (
        table.frame.select(exact(c).alias(new) for c, new in (inner | values).items())
        .pivot(on="\0s", index=[inner[c] for c in kept], values=[*values.values()])
        .rename({inner[c]: c for c in kept} | names)
    )
    return turned.select(each(order))


def as_table(data: Any) -> Table:
    """A Table as it is, or any dataframe as one."""
    import narwhals as nw

    if isinstance(data, Table):
        return data
    try:
        frame = nw.from_native(data)
    except TypeError as error:
        raise ReadError(f"A {type(data).__name__} is not a table.", remedy="Give a Table or a dataframe.") from error
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect("polars")
    return Table(frame.to_polars())


def _one_row_each(table: Table, person: str) -> None:
    must_have(table.columns, person, table.source)
    column = table[person]
    nobody = column.is_null().arg_true().to_list()
    if nobody:
        raise ReadError(
            f"{counted(len(nobody), 'row')} {agree(len(nobody), 'has', 'have')} no {person!r}.",
            where=table.origin.say(nobody),
            remedy="Fill in the identifier, or take the rows out.",
        )
    twice = column.is_duplicated().arg_true().to_list()
    if twice:
        raise ReadError(
            f"Person {column[twice[0]]!r} has more than one row; with wide= every person has one.",
            where=table.origin.say(twice),
            remedy=Wording(
                "If the file has one row a session already, leave ", Argument("wide=", ("--wide",)), " out."
            ),
        )


def _types(table: Table, found: Mapping[str, Mapping[int, str]]) -> tuple[dict[str, pl.DataType], list[Finding]]:
    """The type of each turned column, which must hold all its sessions; text wins, and is said."""
    import polars as pl

    types: dict[str, pl.DataType] = {}
    findings = []
    for name, columns in found.items():
        kinds = {table[c].dtype for c in columns.values() if table[c].null_count() < len(table)}
        if len(kinds) <= 1:
            types[name] = next(iter(kinds), pl.Float64())
        elif all(k.is_integer() for k in kinds):
            types[name] = pl.Int64()
        elif all(k.is_numeric() for k in kinds):
            types[name] = pl.Float64()
        elif all(k in (pl.Date, pl.Datetime) for k in kinds):
            types[name] = pl.Datetime("us")
        else:
            types[name] = pl.String()
            text = [c for c in columns.values() if table[c].dtype == pl.String and table[c].null_count() < len(table)]
            findings.append(
                Finding(
                    "warning",
                    "wide-mixed-types",
                    f"Column {name!r} is text, since {some(text) or 'its sessions'} hold other things than the others.",
                    where=f"columns {some(columns.values(), 12)}",
                    count=len(columns),
                    remedy="Correct the cells that are not numbers.",
                )
            )
    return types, findings


def _left_out(long: pl.DataFrame, held: pl.DataFrame, person: str, source: str) -> list[Finding]:
    """What was lost with the sessions that have no value: how many, and who has none left."""
    count = long.height - held.height
    if not count:
        return []
    what = (
        f"{counted(count, 'session')} without any value in the turned columns {agree(count, 'was', 'were')} left out, "
    )
    what += "as not held."
    keep = read_option("keep", True)
    note = Finding("note", "sessions-not-held", what, source, count, Wording(keep, " keeps them."))
    gone = lost_persons(long, held, person)
    if not gone:
        return [note]
    n = len(gone)
    what = f"{counted(n, 'person')} {agree(n, 'has', 'have')} no session with a value and {agree(n, 'is', 'are')} no "
    what += f"longer in the table: {some(gone)}."
    remedy = Wording(keep, f" keeps {agree(n, 'this person', 'them')}.")
    return [note, Finding("warning", "wide-person-lost", what, source, n, remedy)]


def lost_persons(before: pl.DataFrame, after: pl.DataFrame, person: str) -> list[object]:
    """The persons of whom no row is left, in the order in which they stood."""
    gone = before[person].filter(~before[person].is_in(after[person].implode())).drop_nulls()
    return gone.unique(maintain_order=True).to_list()


def _carried(labels: Mapping[str, Any], found: Mapping[str, Mapping[int, str]]) -> dict[str, Any]:
    """Labels of the columns that stay, and of the first session's column for each turned one."""
    turned = {c for by_session in found.values() for c in by_session.values()}
    kept = {c: label for c, label in labels.items() if c not in turned}
    for name, by_session in found.items():
        first = next((labels[c] for _, c in sorted(by_session.items()) if c in labels), None)
        if first is not None:
            kept[name] = first
    return kept


def _constant(table: Table, columns: Iterable[str], person: str) -> None:
    """Raise ReadError if a column that becomes one cell a person has two.

    Stricter than `Panel.is_constant`, for which a table as it was read has no roles yet: a person with a value in some
    rows only would have it in all rows once the table is long again.
    """
    import polars as pl

    for column in columns:
        varies = (
            table.frame.group_by(exact(person), maintain_order=True)
            .agg(exact(column).n_unique().alias("\0n"))
            .filter(pl.col("\0n") > 1)
        )
        if varies.height:
            raise ReadError(
                f"Column {column!r} varies within person {varies[person][0]!r}.",
                where=table.source,
                remedy="Name it among the columns to be turned, or take it out.",
            )
