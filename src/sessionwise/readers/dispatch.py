"""From a path to a Table by the reader for what the file holds."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import Argument, ReadError, Wording, nearest, read_option
from ..findings import Finding, Findings
from ..options import one_of
from ..panel.table import Table
from .columns import Wishes
from .file_kind import HEAD, recognise

_FOR = {
    "sheet": ("excel",),
    "header_row": ("text", "excel"),
    "delimiter": ("text",),
    "decimal": ("text", "excel"),
    "encoding": ("text", "sav", "dta", "sas7bdat", "xpt"),
    "types": ("text", "excel"),
    "dates": ("text", "excel"),
}
_LABELLED = ("sav", "por", "dta", "sas7bdat", "xpt")


def check_options(
    options: Mapping[str, Any], value_labels: str | Sequence[str], wide: object, person: str | None
) -> None:
    """Raise ReadError for options that cannot be meant."""
    delimiter, decimal = options["delimiter"], options["decimal"]
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0'):
        raise ReadError(f"delimiter={delimiter!r} is not one sign.", remedy="Use for example ',', ';' or '\\t'.")
    one_of("decimal", decimal, (None, ".", ","), ReadError)
    for column, kind in (options["types"] or {}).items():
        if kind not in ("text", "number"):
            raise ReadError(f"types= gives {column!r} the type {kind!r}.", remedy="Use 'text' or 'number'.")
    if wide is not None and person is None:
        person_option = Argument("person=", ("--person",))
        raise ReadError(
            "wide= needs to know who is who.", remedy=Wording("Name the column of persons with ", person_option, ".")
        )


def read_file(
    path: str | os.PathLike[str], options: Mapping[str, Any], wishes: Wishes, value_labels: str | Sequence[str]
) -> Table:
    """The file's Table, before codes are declared missing and rows are turned."""
    file = Path(path)
    name = file.name or str(file)
    data = _bytes(file, name)
    kind, note = recognise(data, name)
    _meaningless(kind, options, value_labels, name)
    table = _by_kind(kind, file, data, name, options, wishes, value_labels)
    if not note:
        return table
    found = Finding("note", "content-not-extension", note, where=name)
    return replace(table, findings=table.findings + Findings([found]))


def _by_kind(
    kind: str,
    file: Path,
    data: bytes,
    name: str,
    options: Mapping[str, Any],
    wishes: Wishes,
    value_labels: str | Sequence[str],
) -> Table:
    if kind == "text":
        from .text import read_text

        return read_text(
            data,
            name,
            encoding=options["encoding"],
            delimiter=options["delimiter"],
            header_row=options["header_row"],
            wishes=wishes,
        )
    if kind == "excel":
        from .excel import read_excel

        return read_excel(data, name, sheet=options["sheet"], header_row=options["header_row"], wishes=wishes)
    if kind == "parquet":
        from .parquet import read_parquet

        return read_parquet(file, name)
    from .spss_stata_sas import read_stat

    return read_stat(file, data, name, kind, encoding=options["encoding"], value_labels=value_labels)


def _bytes(file: Path, name: str) -> bytes:
    """The file's content (of a Parquet file its first bytes only, since polars reads it by itself)."""
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD)
            if head[:4] == b"PAR1":
                return head
            if len(head) < HEAD:
                return head
            stream.seek(0)
            return stream.read()
    except FileNotFoundError as error:
        folder = file.parent
        beside = [p.name for p in folder.iterdir()] if folder.is_dir() and os.access(folder, os.R_OK) else []
        raise ReadError(
            f"There is no file {name!r} in that folder.{nearest(name, beside)}"
            if folder.is_dir()
            else f"There is no folder {str(folder)!r}.",
            where=str(file),
            remedy="Correct the path.",
        ) from error
    except IsADirectoryError as error:
        raise ReadError("This is a folder, not a file.", where=str(file), remedy="Name a file in it.") from error
    except PermissionError as error:
        if file.is_dir():  # Windows says so of a folder
            raise ReadError("This is a folder, not a file.", where=str(file), remedy="Name a file in it.") from error
        raise ReadError(
            "The file may not be read.", where=str(file), remedy="Ask for permission, or close the program that has it."
        ) from error
    except (OSError, ValueError) as error:
        raise ReadError(f"The file could not be opened: {error}.", where=str(file), remedy="Check the path.") from error


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
