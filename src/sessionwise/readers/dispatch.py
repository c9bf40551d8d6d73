"""From a path to a Table by the reader for what the file holds."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from ..errors import Argument, ReadError, Wording, nearest, read_option
from ..findings import Finding, Findings
from ..options import A_NAME, of_kind, one_of, shown
from ..panel.table import Table
from .columns import Wishes
from .file_kind import HEAD, is_stata, recognise
from .limits import Limit

_FOR = {
    "sheet": ("excel", "ods", "r"),
    "header_row": ("text", "excel", "ods"),
    "delimiter": ("text",),
    "decimal": ("text", "excel", "ods", "json"),
    "encoding": ("text", "json", "sav", "dta", "sas7bdat", "xpt"),
    "types": ("text", "excel", "ods", "json"),
    "dates": ("text", "excel", "ods", "json"),
}
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "sheet": ((str, int), "the name of a sheet or its number from 1"),
    "header_row": ((int, list, tuple), "the number of a row, the first being 1, or of two rows, such as [1, 2]"),
    "delimiter": ((str,), "a sign, such as ';'"),
    "encoding": ((str,), "the name of an encoding, such as 'cp1252'"),
    "types": ((Mapping,), "{column: 'text' or 'number'}"),
    "dates": ((Mapping,), "{column: format}, such as {'seen': '%d.%m.%Y'}"),
}
_STATISTICS = ("sav", "por", "dta", "sas7bdat", "xpt")
_LABELLED = (*_STATISTICS, "r")


def check_options(
    options: Mapping[str, Any], value_labels: str | Sequence[str], wide: object, person: str | None, max_cells: int
) -> None:
    """Raise ReadError for options that cannot be meant."""
    for name, (kinds, what) in _KINDS.items():
        given = options[name]
        if given is not None and (not isinstance(given, kinds) or isinstance(given, bool)):
            raise ReadError(f"{name}={given!r} is not {what}.", remedy=f"Give {what}.")
    _two_rows(options["header_row"])
    for column, form in (options["dates"] or {}).items():
        if not isinstance(form, str):
            raise ReadError(
                f"dates= gives {column!r} the format {form!r}.", remedy="Write it with %d, %m and %Y, as '%d.%m.%Y'."
            )
    if not isinstance(value_labels, str) and not (
        isinstance(value_labels, Sequence) and all(isinstance(c, str) for c in value_labels)
    ):
        raise ReadError(
            f"value_labels={value_labels!r} is not known.", remedy="Use 'numbers', 'categories' or a list of columns."
        )
    delimiter, decimal = options["delimiter"], options["decimal"]
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0'):
        raise ReadError(f"delimiter={delimiter!r} is not one sign.", remedy="Use for example ',', ';' or '\\t'.")
    one_of("decimal", decimal, (None, ".", ","), ReadError)
    for column, kind in (options["types"] or {}).items():
        if kind not in ("text", "number"):
            raise ReadError(f"types= gives {column!r} the type {kind!r}.", remedy="Use 'text' or 'number'.")
    if isinstance(max_cells, bool) or not isinstance(max_cells, int) or max_cells < 1:
        raise ReadError(f"max_cells={max_cells!r} is not a number of cells.", remedy="Give a whole number above 0.")
    if person is not None:
        of_kind("person", person, A_NAME, ReadError)
    if wide is not None and person is None:
        person_option = Argument("person=", ("--person",))
        raise ReadError(
            "wide= needs to know who is who.", remedy=Wording("Name the column of persons with ", person_option, ".")
        )


def _two_rows(header_row: object) -> None:
    """Raise ReadError for rows of names that do not follow each other."""
    if not isinstance(header_row, list | tuple):
        return
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in header_row)
    if not whole or len(header_row) != 2 or header_row[1] != header_row[0] + 1:
        raise ReadError(
            f"header_row={header_row!r} is not two rows that follow each other.",
            remedy="Give the upper and the lower row of names, such as [1, 2].",
        )


def read_file(
    path: str | os.PathLike[str],
    options: Mapping[str, Any],
    wishes: Wishes,
    value_labels: str | Sequence[str],
    limit: Limit,
) -> Table:
    """The file's Table, before codes are declared missing and rows are turned."""
    if not isinstance(path, str | os.PathLike):
        table = hasattr(path, "columns")
        raise ReadError(
            f"read takes the path of a file, not {shown(path)}.",
            remedy="Give it to Panel or check as it is: any dataframe is a table." if table else "Give a path.",
        )
    file = Path(path)
    name = printable(file.name or str(file))
    data = _bytes(file, name, limit)
    kind, note = recognise(data, name)
    _meaningless(kind, options, value_labels, name)
    table = _by_kind(kind, file, data, name, options, wishes, value_labels, limit)
    limit.check_cells(len(table), len(table.columns), name)
    if not note:
        return table
    found = Finding("note", "content-not-extension", note, where=name)
    return replace(table, findings=table.findings + Findings([found]))


def _by_kind(
    kind: str,
    file: Path,
    data: bytes | mmap,
    name: str,
    options: Mapping[str, Any],
    wishes: Wishes,
    value_labels: str | Sequence[str],
    limit: Limit,
) -> Table:
    if isinstance(data, mmap) or kind in _STATISTICS:
        from .spss_stata_sas import read_stat

        encoding = options["encoding"]
        return read_stat(file, data, name, kind, encoding=encoding, value_labels=value_labels, limit=limit)
    if kind == "text":
        from .text import read_text

        return read_text(
            data,
            name,
            encoding=options["encoding"],
            delimiter=options["delimiter"],
            header_row=options["header_row"],
            wishes=wishes,
            limit=limit,
        )
    if kind in ("excel", "ods"):
        from .excel import read_excel

        sheet, header_row = options["sheet"], options["header_row"]
        return read_excel(data, name, kind=kind, sheet=sheet, header_row=header_row, wishes=wishes, limit=limit)
    if kind == "r":
        from .r_data import read_r

        return read_r(data, name, sheet=options["sheet"], value_labels=value_labels, limit=limit)
    if kind == "json":
        from .json_records import read_json

        return read_json(data, name, encoding=options["encoding"], wishes=wishes, limit=limit)
    from .parquet import read_parquet

    return read_parquet(file, name, limit)


def printable(text: str) -> str:
    """A file's name that any output takes: bytes in it that are not UTF-8 as '\\xe9'."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def _bytes(file: Path, name: str, limit: Limit) -> bytes | mmap:
    """The file's content (of a Parquet file its first bytes only, since polars reads it by itself)."""
    try:
        about = file.stat()
        if stat.S_ISREG(about.st_mode):
            with file.open("rb") as stream:
                head = stream.read(HEAD)
                if head[:4] == b"PAR1":
                    return head
                limit.check_bytes(about.st_size, name)
                if head[:4] == b"$FL2" or is_stata(head):  # read by their own readers; here only looked at
                    return mmap(stream.fileno(), 0, access=ACCESS_READ)
                stream.seek(0)
                return stream.read(about.st_size + 1)  # a given size is set aside, whatever comes
    except (OSError, ValueError) as error:
        raise _not_opened(file, error) from error
    if stat.S_ISDIR(about.st_mode):
        raise ReadError("This is a folder, not a file.", where=printable(str(file)), remedy="Name a file in it.")
    raise ReadError(
        "This is a pipe or a device, not a file: it may have no end.",
        where=printable(str(file)),
        remedy="Write what it gives into a file, and read that.",
    )


def _not_opened(file: Path, error: Exception) -> ReadError:
    """Why a file could not be opened, and what to do."""
    where = printable(str(file))
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        folder = file.parent
        if not os.path.isdir(folder):
            return ReadError(f"There is no folder {printable(str(folder))!r}.", where=where, remedy="Correct the path.")
        beside = [printable(p.name) for p in folder.iterdir()] if os.access(folder, os.R_OK) else []
        name = printable(file.name)
        what = f"There is no file {name!r} in that folder.{nearest(name, beside)}"
        return ReadError(what, where=where, remedy="Correct the path.")
    if isinstance(error, PermissionError):
        remedy = "Ask for permission, or close the program that has it."
        return ReadError("The file may not be read.", where=where, remedy=remedy)
    why = getattr(error, "strerror", None) or error
    return ReadError(f"The file could not be opened: {why}.", where=where, remedy="Check the path.")


def _meaningless(kind: str, options: Mapping[str, Any], value_labels: str | Sequence[str], name: str) -> None:
    """Raise ReadError for options that have no meaning for this kind of file, rather than pass over them."""
    given = [o for o, kinds in _FOR.items() if options[o] is not None and kind not in kinds]
    if not isinstance(value_labels, str) or value_labels != "numbers":
        given += ["value_labels"] * (kind not in _LABELLED)
    if given:
        raise ReadError(
            f"{given[0]}= has no meaning for this kind of file.",
            where=name,
            remedy=Wording("Leave ", read_option(given[0]), " out."),
        )
