"""One row a person -> one row a session, and back.

Patterns name the columns: '{}' or '{session}' stands for the session's number, '{item}' for an item's number:
'core_{}' makes one column 'core', 'core{item}_{session}' makes 'core1', 'core2', ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import ReadError, nearest, some
from ..findings import Finding, Findings
from ..table import Table
from ._place import many

if TYPE_CHECKING:
    import polars as pl

Patterns = str | Sequence[str] | Mapping[str, str]

_HOLE = re.compile(r"\{(session|item)?\}")
_SESSION_WORD = re.compile(
    r"(?<=[^\W_])[_. -]+(s|ses|sess|session|t|time|w|wave|wk|week|v|visit)?[_. -]*$", re.IGNORECASE
)


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
    found = _match(table, _named(patterns, table.source), person)
    _one_row_each(table, person)
    turned = {c for by_session in found.values() for c in by_session.values()}
    others = [c for c in table.columns if c not in turned and c != person]
    for name in (session, *found):
        if name in (person, *others) or (name == session and name in found):
            raise ReadError(
                f"The new column {name!r} would stand beside one of the same name.",
                where=table.source,
                remedy=f"Name it otherwise: session=, or {{'{name}_score': pattern}} in wide=.",
            )
    types, findings = _types(table, found)
    numbers = sorted({n for by_session in found.values() for n in by_session})
    row = pl.int_range(pl.len(), dtype=pl.Int64).alias("\0row")
    parts = [
        table.frame.select(
            row,
            person,
            pl.lit(n, dtype=pl.Int64).alias(session),
            *others,
            *(
                (pl.col(cols[n]).cast(types[c]) if n in cols else pl.lit(None, dtype=types[c])).alias(c)
                for c, cols in found.items()
            ),
        )
        for n in numbers
    ]
    long = pl.concat(parts).sort("\0row", session, maintain_order=True)
    if not keep:
        held = long.filter(~pl.all_horizontal(pl.col(list(found)).is_null()))
        findings += _left_out(long.height - held.height, table.source)
        long = held
    rows = long["\0row"].to_numpy()
    note = Finding(
        "note",
        "wide-to-long",
        f"{many(len(turned), 'column')} were turned into {some(found)}, by session {numbers[0]} to {numbers[-1]}.",
        where=table.source,
        count=len(turned),
        remedy="",
    )
    origin = table.row_numbers
    return replace(
        table,
        frame=long.drop("\0row"),
        findings=table.findings + Findings([note, *findings]),
        variable_labels=_carried(table.variable_labels, found),
        value_labels=_carried(table.value_labels, found),
        row_numbers=rows + (table.first_row if table.source else 0) if origin is None else origin[rows],
    )


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
        _exists(table, name)
    sessions = table[session]
    if not sessions.dtype.is_integer() or sessions.null_count():
        raise ReadError(
            f"Column {session!r} should number the sessions, but has missing values or is not whole numbers.",
            where=table.source,
            remedy="Correct the session numbers.",
        )
    twice = table.frame.select(b=pl.struct(person, session).is_duplicated())["b"].arg_true().to_list()
    if twice:
        raise ReadError(
            "A person has the same session twice.",
            where=table.origin.say(twice),
            remedy="Take one of the rows out, or number the sessions anew.",
        )
    others = [c for c in table.columns if c not in (person, session, *patterns)]
    _constant(table, others, person)
    frame = table.frame.select(person, *others).unique(person, keep="first", maintain_order=True)
    numbers = sorted(sessions.unique().to_list())
    for name, pattern in patterns.items():
        for n in numbers:
            new = _HOLE.sub(str(n), pattern)
            if new in frame.columns:
                raise ReadError(
                    f"The new column {new!r} would stand beside one of the same name.",
                    where=table.source,
                    remedy="Give another pattern, with {} for the session's number.",
                )
            part = table.frame.filter(pl.col(session) == n).select(person, pl.col(name).alias(new))
            frame = frame.join(part, on=person, how="left", nulls_equal=True, maintain_order="left")
    return replace(table, frame=frame, row_numbers=None, source="")


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


def _named(patterns: Patterns, source: str) -> list[tuple[str | None, str]]:
    """(new name or None, pattern), each pattern checked."""
    if isinstance(patterns, str):
        patterns = [patterns]
    pairs: list[tuple[str | None, str]] = [(None, p) for p in patterns]
    if isinstance(patterns, Mapping):
        pairs = [*patterns.items()]
    for _, pattern in pairs:
        holes = _HOLE.findall(pattern) if isinstance(pattern, str) else []
        sessions = [h for h in holes if h != "item"]
        if len(sessions) != 1 or len(holes) - 1 != holes.count("item") or holes.count("item") > 1:
            raise ReadError(
                f"wide= has the pattern {pattern!r}, which does not say once where the session's number stands.",
                where=source,
                remedy="Write {} for the number, for example 'core_{}', or 'core{item}_{session}' with items.",
            )
    if not pairs:
        raise ReadError("wide= has no pattern.", where=source, remedy="Give one, for example wide='core_{}'.")
    return pairs


def _match(table: Table, pairs: list[tuple[str | None, str]], person: str) -> dict[str, dict[int, str]]:
    """New column -> session number -> column of the table."""
    found: dict[str, dict[int, str]] = {}
    owner: dict[str, str] = {}
    for new, pattern in pairs:
        fits = [(c, m) for c in table.columns if (m := _regex(pattern).fullmatch(c)) and c != person]
        if not fits:
            raise ReadError(
                f"No column fits the pattern {pattern!r}.{nearest(_HOLE.sub('1', pattern), table.columns)}",
                where=table.source,
                remedy=f"The columns are {some(table.columns, 12)}.",
            )
        for column, match in fits:
            if column in owner:
                raise ReadError(
                    f"Column {column!r} fits two patterns, {owner[column]!r} and {pattern!r}.",
                    where=table.source,
                    remedy="Make them narrower.",
                )
            owner[column] = pattern
            item = match.groupdict().get("item", "")
            name = (
                (new or _stem(pattern)).replace("{item}", item)
                if "{item}" in (new or _stem(pattern))
                else (f"{new or _stem(pattern)}{item}")
            )
            by_session = found.setdefault(name, {})
            number = int(match["session"])
            if number in by_session:
                raise ReadError(
                    f"Columns {by_session[number]!r} and {column!r} are both {name!r} of session {number}.",
                    where=table.source,
                    remedy="Rename one of them, or make the pattern narrower.",
                )
            by_session[number] = column
    return found


def _regex(pattern: str) -> re.Pattern[str]:
    parts = _HOLE.split(pattern)  # text, hole, text, ...
    text = "".join(
        re.escape(part) if i % 2 == 0 else (r"(?P<item>[0-9]+)" if part == "item" else r"(?P<session>[0-9]{1,9})")
        for i, part in enumerate(parts)
    )
    return re.compile(text)


def _stem(pattern: str) -> str:
    """'core_{}' -> 'core', 'bdi_s{}' -> 'bdi', 'core{item}_{session}' -> 'core{item}'."""
    hole = next(h for h in _HOLE.finditer(pattern) if h[1] != "item")
    before, after = pattern[: hole.start()], pattern[hole.end() :]
    short = _SESSION_WORD.sub("", before.replace("{item}", "0\0"))
    before = short.replace("0\0", "{item}").rstrip("\0") if short else before
    stem = before.rstrip("_. -") + (("_" if before and after.strip("_. -") else "") + after.strip("_. -"))
    return stem or "value"


def _exists(table: Table, name: str) -> None:
    if name not in table.columns:
        raise ReadError(
            f"There is no column {name!r}.{nearest(name, table.columns)}",
            where=table.source,
            remedy=f"The columns are {some(table.columns, 12)}.",
        )


def _one_row_each(table: Table, person: str) -> None:
    _exists(table, person)
    column = table[person]
    nobody = column.is_null().arg_true().to_list()
    if nobody:
        raise ReadError(
            f"{len(nobody)} rows have no {person!r}.",
            where=table.origin.say(nobody),
            remedy="Fill in the identifier, or take the rows out.",
        )
    twice = column.is_duplicated().arg_true().to_list()
    if twice:
        raise ReadError(
            f"Person {column[twice[0]]!r} has more than one row; with wide= every person has one.",
            where=table.origin.say(twice),
            remedy="If the file has one row a session already, leave wide= out.",
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


def _left_out(count: int, source: str) -> list[Finding]:
    if not count:
        return []
    what = f"{count:,} sessions without any value in the turned columns were left out, as not held."
    return [Finding("note", "sessions-not-held", what, source, count, "keep=True keeps them.")]


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
    import polars as pl

    for column in columns:
        varies = (
            table.frame.group_by(person, maintain_order=True)
            .agg(pl.col(column).n_unique().alias("\0n"))
            .filter(pl.col("\0n") > 1)
        )
        if varies.height:
            raise ReadError(
                f"Column {column!r} varies within person {varies[person][0]!r}.",
                where=table.source,
                remedy="Name it among the columns to be turned, or take it out.",
            )
