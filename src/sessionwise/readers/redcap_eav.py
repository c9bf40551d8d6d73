"""REDCap's export of one row a value (record, event, field_name, value) -> one row a record and event, as it exports
else. Boxes that may be ticked together have several rows: each becomes a column 'field___code' of 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ReadError, Wording, read_option
from ..findings import Finding
from ..panel.exact import each, exact
from ..words import counted
from .headers import check_names
from .limits import Limit
from .places import placer

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

FIELD, VALUE = "field_name", "value"
_RECORD = "record"
_EVENTS = ("redcap_event_name", "event", "event_name")
_KEYS = {
    _RECORD: _RECORD,
    **dict.fromkeys(_EVENTS, "redcap_event_name"),
    "redcap_repeat_instrument": "redcap_repeat_instrument",
    "redcap_repeat_instance": "redcap_repeat_instance",
}


@dataclass(frozen=True, slots=True, eq=False)
class Turned:
    """frame : one row a record and event, all of it text. first : int64, the row of the export that each begins with.
    note : what was done."""

    frame: pl.DataFrame
    first: np.ndarray
    note: Finding


def is_eav(names: Sequence[str]) -> bool:
    """Whether these are the columns of such an export, and no others."""
    keys = [name for name in names if name not in (FIELD, VALUE)]
    known = {_KEYS.get(name) for name in keys}
    return {_RECORD, FIELD, VALUE} <= set(names) and None not in known and len(known) == len(keys)


def refused_in_workbooks(where: str) -> ReadError:
    """The error for a workbook with such columns: numbers and dates of one column are no longer as they were."""
    return ReadError(
        "This seems to be REDCap's export of one row a value (EAV), saved as a workbook.",
        where=where,
        remedy=Wording(
            "Export it as CSV, which is read as one row a record and event; ",
            read_option("redcap", False),
            " reads the columns as they are.",
        ),
    )


def turned(frame: pl.DataFrame, word: str, lines: np.ndarray | None, source: str, limit: Limit) -> Turned:
    """`frame`, of one row a value, with one row a record and event; ReadError if a record or field has no name."""
    import polars as pl

    place = placer(word, lines)
    frame = frame.with_columns(pl.all().cast(pl.String)).with_row_index("\0row")
    keys = [name for name in frame.columns if name in _KEYS]
    for name in (_RECORD, FIELD):
        nameless = (frame[name].fill_null("").str.strip_chars() == "").arg_true().to_list()
        if nameless:
            raise ReadError(
                f"{counted(len(nameless), 'row')} without a {name!r}: nothing says what the value is of.",
                where=f"{source}, {place(nameless)}",
                remedy=Wording("Export it again, or read it with ", read_option("redcap", False), "."),
            )
    inner = {name: f"\0{i}" for i, name in enumerate(keys)}
    cells = frame.rename(inner).with_columns(c.fill_null("").str.strip_chars() for c in each(inner.values()))
    cells = cells.unique([*inner.values(), FIELD, VALUE], keep="first", maintain_order=True)
    fields = cells[FIELD].unique(maintain_order=True).to_list()
    groups = cells.select(pl.struct(inner.values()).n_unique()).item()
    limit.check_cells(groups, len(fields), source)
    cells, fields = _ticked(cells, [*inner.values()], fields)
    taken = [field for field in fields if field in _KEYS.values()]
    if taken:
        raise ReadError(
            f"The field {taken[0]!r} has the name of one of the export's own columns.",
            where=source,
            remedy="Rename the field in the file.",
        )
    check_names([_RECORD, *fields], source)
    wide = cells.pivot(
        on=FIELD, index=[*inner.values()], values=VALUE, aggregate_function="first", maintain_order=True
    ).join(
        cells.group_by([*inner.values()], maintain_order=True).agg(pl.col("\0row").first()),
        on=[*inner.values()],
        maintain_order="left",
    )
    limit.check_cells(wide.height, wide.width, source)
    first = wide["\0row"].to_numpy().astype("int64")
    wide = wide.select(
        *(exact(plain).replace("", None).alias(_KEYS[name]) for name, plain in inner.items()), *map(exact, fields)
    )
    wide = _named_record(wide, fields)
    what = f"Read as REDCap's export of one row a value (EAV): {counted(frame.height, 'row')} became "
    what += f"{counted(wide.height, 'row')} of {counted(wide.width, 'column')}."
    remedy = Wording(read_option("redcap", False), " reads the columns as they are.")
    return Turned(wide, first, Finding("note", "redcap-eav", what, source, frame.height, remedy))


def _ticked(cells: pl.DataFrame, keys: list[str], fields: list[str]) -> tuple[pl.DataFrame, list[str]]:
    """Fields with several values of one record and event as columns of 0 and 1, one for each value."""
    import polars as pl

    several = cells.filter(pl.struct(*keys, FIELD).is_duplicated())[FIELD].unique().to_list()
    if not several:
        return cells, fields
    names: list[str] = []
    parts = [cells.filter(~exact(FIELD).is_in(several))]
    for field in fields:
        if field not in several:
            names.append(field)
            continue
        own = cells.filter(exact(FIELD) == field)
        asked = own.group_by(keys, maintain_order=True).agg(pl.col("\0row").first())
        for code in own[VALUE].drop_nulls().unique(maintain_order=True).sort().to_list():
            name = f"{field}___{code}"
            ticked = own.filter(exact(VALUE) == code).select(keys).with_columns(pl.lit("1").alias(VALUE))
            column = asked.join(ticked, on=keys, how="left", maintain_order="left")
            column = column.with_columns(exact(VALUE).fill_null("0"), pl.lit(name).alias(FIELD))
            parts.append(column.select(cells.columns))
            names.append(name)
    return pl.concat(parts).sort("\0row", maintain_order=True), names


def _named_record(wide: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """With the record under the name of the field that repeats it, if the export has that."""
    for field in fields:
        same = wide[field] == wide[_RECORD]
        if wide[field].null_count() < wide.height and bool(same.fill_null(True).all()):
            kept = [name for name in wide.columns if name != field]
            return wide.select(each(kept)).rename({_RECORD: field})
    return wide
