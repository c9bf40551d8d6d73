"""Files beside the report: every table as CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from ..study import StudyResult, StudyTable


def write_tables(result: StudyResult, folder: str | PathLike[str]) -> tuple[Path, ...]:
    """Every table of a result as FOLDER/NAME.csv: UTF-8, a comma, a point, all digits; missing is empty.

    The same result gives the same bytes. The folder is made if need be; other files in it are left alone.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in result.tables().items():
        path = place / f"{name}.csv"
        path.write_text(csv_text(table), encoding="utf-8", newline="")
        written.append(path)
    return tuple(written)


def csv_text(table: StudyTable) -> str:
    """A table with its columns' keys as the first line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([c.key for c in table.columns])
    writer.writerows(table.rows)  # the csv module writes floats with repr: all digits, None as nothing
    return out.getvalue()
