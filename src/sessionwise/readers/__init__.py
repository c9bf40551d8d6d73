"""Any file -> Table: CSV and other delimited text, Excel, LibreOffice, SPSS, Stata, SAS, R, Parquet, JSON.

Nothing is guessed silently and no cell is changed or lost silently: what was done is in the table's findings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING

from ..errors import Argument, ReadError, Wording, read_option
from ..findings import Finding, Findings
from ..forked import must_not_be_forked
from ..options import NAMES, YES_OR_NO, is_whole, of_kind
from ..panel.table import Table
from .wide import long_to_wide, wide_to_long

if TYPE_CHECKING:
    from .cells import Decimal
    from .columns import Kind
    from .missing import Codes
    from .patterns import Patterns
    from .redcap import Events

__all__ = ["long_to_wide", "read", "wide_to_long"]


def read(
    path: str | PathLike[str],
    *,
    sheet: str | int | None = None,
    header_row: int | Sequence[int] | None = None,
    delimiter: str | None = None,
    decimal: Decimal | None = None,
    encoding: str | None = None,
    types: Mapping[str, Kind] | None = None,
    dates: Mapping[str, str] | None = None,
    missing: Codes | Mapping[str, Codes] | None = None,
    value_labels: str | Sequence[str] = "numbers",
    wide: Patterns | None = None,
    person: str | None = None,
    keep: bool = False,
    redcap: bool | Events | None = None,
    spread: Sequence[str] = (),
    max_cells: int = 250_000_000,
) -> Table:
    """Read a file of any supported kind.

    Parameters
    ----------
    path : the file; its kind is told by its content.
    sheet : Excel, LibreOffice: name of the sheet, or its number from 1; needed if several have cells. R: of the data
        frame, if the file has several.
    header_row : text, Excel: number of the line or row with the column names, as an editor or Excel shows it; of two,
        [1, 2], whose names are joined ('Session 1_phq').
    delimiter : text: the sign between fields; found out if not given.
    decimal : text, Excel: '.' or ','; found out if not given.
    encoding : text, JSON, SPSS, Stata, SAS: for example 'cp1252'; found out if not given.
    types : text, Excel: {column: 'text' or 'number'}, for columns such as '01', '02' that are otherwise kept as text.
    dates : text, Excel: {column: format}, for example {'date': '%d.%m.%Y'}; ISO dates need none.
    missing : codes that mean missing: a code or list (numbers in all numeric columns, text in all text columns, but the
        person's), or {column: codes}.
    value_labels : SPSS, Stata, SAS, R: 'numbers', 'categories' (labelled columns as categories), or a list of columns.
    wide : pattern(s) of columns to turn into rows, as in `wide_to_long`; needs `person`.
    person : the column that identifies persons: needed for wide files; in others it keeps identifiers as written.
    keep : with `wide`: keep sessions without any value.
    redcap : True, {event: session number}, or False; None recognises an export by its columns, and says so.
    spread : REDCap: columns whose one value a person is filled into all of the person's rows.
    max_cells : rows x columns that are read at most, before memory is taken; files may have 16 bytes, unpacked, for
        each.

    Returns
    -------
    Table : missing values as null; `findings` lists what was done and what is in doubt.

    Raises
    ------
    ReadError : the file cannot be read as a table; says where and what to do.
    """
    from .columns import Wishes
    from .dispatch import check_options, read_file
    from .headers import must_have
    from .limits import Limit

    must_not_be_forked()
    spread = [spread] if isinstance(spread, str) else spread
    options: dict[str, object] = {"sheet": sheet, "header_row": header_row, "delimiter": delimiter, "decimal": decimal}
    options |= {"encoding": encoding, "types": types, "dates": dates}
    check_options(options, value_labels, wide, person, max_cells)
    wishes = Wishes(decimal, types or {}, dates or {}, person, as_rows=redcap is False)
    table = read_file(path, options, wishes, value_labels, Limit(max_cells))
    if person is not None:
        must_have(table.columns, person, table.source)
    if missing is not None:
        from .missing import set_missing

        table = set_missing(table, missing, person)
    return _shape(table, wide, person, keep, redcap, spread)


def _shape(
    table: Table,
    wide: Patterns | None,
    person: str | None,
    keep: bool,
    redcap: bool | Events | None,
    spread: Sequence[str],
) -> Table:
    """Wide files and REDCap's exports to one row a session."""
    from .looks_wide import looks_wide
    from .redcap import from_redcap, is_redcap, with_own_names

    _check_shape(table, wide, keep, redcap, spread)
    if wide is not None and person is not None:
        table = wide_to_long(table, wide, person=person, keep=keep)
    if redcap is not False:
        table = with_own_names(table)
    if redcap is True or isinstance(redcap, Mapping) or (redcap is None and is_redcap(table)):
        events: Events = redcap if isinstance(redcap, Mapping) else {}
        return from_redcap(table, events, person=person, spread=spread)
    if spread:
        raise _meaningless("spread", table.source, "a REDCap export")
    doubt: Finding | None = looks_wide(table, person) if wide is None else None
    return replace(table, findings=table.findings + Findings([doubt])) if doubt else table


def _check_shape(
    table: Table, wide: Patterns | None, keep: bool, redcap: bool | Events | None, spread: Sequence[str]
) -> None:
    """Raise ReadError for options of the shape that cannot be meant."""
    of_kind("keep", keep, YES_OR_NO, ReadError)
    of_kind("spread", spread, NAMES, ReadError)
    if keep and wide is None:
        raise _meaningless("keep", table.source, "a wide file that is turned: ", Argument("wide=", ("--wide",)))
    numbers = redcap.values() if isinstance(redcap, Mapping) else ()
    wrong = next((n for n in numbers if not (n is None or n == "instance" or is_whole(n))), None)
    if wrong is not None or not (redcap is None or isinstance(redcap, bool | Mapping)):
        what = f"redcap={redcap!r} is not known." if wrong is None else f"redcap= gives an event the number {wrong!r}."
        raise ReadError(
            what,
            where=table.source,
            remedy=Wording(
                "Use ",
                read_option("redcap", True),
                ", ",
                read_option("redcap", False),
                " or a number for each event, such as ",
                read_option("redcap", {"baseline_arm_1": 0}),
                ".",
            ),
        )


def _meaningless(name: str, source: str, *kind: str | Argument) -> ReadError:
    return ReadError(
        Wording(f"{name}= has no meaning but for ", *kind, "."),
        where=source,
        remedy=Wording("Leave ", read_option(name), " out."),
    )
