"""Files beside the report: every table as CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from ..outputs import Place, write_files
from .cells import guarded
from .passed_on import PassedOn, passed_on

if TYPE_CHECKING:
    from os import PathLike

    from ..study import StudyResult, StudyTable


def write_tables(
    result: StudyResult, folder: str | PathLike[str], *, labels: bool = False, share: bool = False
) -> tuple[Path, ...]:
    """Every table of a result as FOLDER/NAME.csv: UTF-8, a comma, a point, all digits; missing is empty.

    The same result gives the same bytes. The folder is made if need be; all files are written, or none. Text that a
    spreadsheet would run as a formula has an apostrophe before it.

    labels, share : see `report`.

    Raises
    ------
    SessionwiseError : the folder holds a file of such a name that this package did not write, or cannot be written.
    """
    return write_files(table_files(passed_on(result, labels=labels, share=share), Path(folder)))


def table_files(told: PassedOn, folder: Path) -> dict[Place, bytes]:
    """Each table's place and content."""
    return {_place(folder, name): csv_text(table).encode() for name, table in told.tables().items()}


def table_places(folder: Path) -> list[Place]:
    """Where tables of any result may be written: known before there is one."""
    from ..study.tables import NAMES

    return [_place(folder, name) for name in NAMES]


def _place(folder: Path, name: str) -> Place:
    return Place(folder / f"{name}.csv", named=False, folder=True)


def csv_text(table: StudyTable) -> str:
    """A table with its columns' keys as the first line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([c.key for c in table.columns])
    rows = ([guarded(cell) if isinstance(cell, str) else cell for cell in row] for row in table.rows)
    writer.writerows(rows)  # the csv module writes floats with repr: all digits, None as nothing
    return out.getvalue()
