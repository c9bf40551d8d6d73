"""Table: what `read` gives back. A dataframe that remembers its file, and what was done in reading it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import PanelError
from ..findings import Findings
from ..options import known_name
from ..words import numbered

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


@dataclass(frozen=True, slots=True)
class Origin:
    """Says where a row came from, in the words its user would use.

    source : file name, or empty for a dataframe.
    word : 'line', 'row', ...
    numbers : int64 array (n_rows,) of the rows' numbers in the source, or None.
    first : number of the first row where `numbers` is None.
    """

    source: str = ""
    word: str = "row"
    numbers: np.ndarray | None = None
    first: int = 0

    def say(self, rows: Iterable[int], most: int = 5) -> str:
        """For example 'sessions.csv, lines 17, 25 and 3 more'. `rows` are positions in the frame."""
        rows = [int(r) for r in rows]
        numbers = [self.first + r if self.numbers is None else int(self.numbers[r]) for r in rows]
        head = f"{self.source}, " if self.source else ""
        tail = "" if self.source else " (counted from 0)"
        return f"{head}{numbered(self.word, numbers, most)}{tail}"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One table as it stands in a file: rows, typed columns, and where each row came from.

    frame : polars DataFrame, missing values as null.
    source : the file's name (no folder), as used in messages; empty for tables not from a file.
    findings : what the reader did or met (encoding, decimal comma, user-missing codes, ...).
    variable_labels : column -> its label in an SPSS, Stata or SAS file.
    value_labels : column -> {code: label}, codes as stored.
    row_word : what `row_numbers` count: 'line' (text files), 'row' (spreadsheets and the others).
    row_numbers : int64 array (n_rows,): the number of each row in the file, header counted, as an
        editor or a spreadsheet shows it. None: they follow on from `first_row`.
    first_row : number of the first row where `row_numbers` is None; 2 counts a header.
    """

    frame: pl.DataFrame
    source: str = ""
    findings: Findings = field(default_factory=Findings)
    variable_labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    row_word: str = "row"
    row_numbers: np.ndarray | None = None
    first_row: int = 2

    @property
    def origin(self) -> Origin:
        """Where its rows came from."""
        return Origin(self.source, self.row_word, self.row_numbers, first=self.first_row if self.source else 0)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.frame.columns)

    def __len__(self) -> int:
        return self.frame.height

    def __getitem__(self, column: str) -> pl.Series:
        """A column.

        Raises
        ------
        PanelError : there is none of that name.
        """
        known_name("column", column, self.columns, PanelError)
        return self.frame.get_column(column)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Arrow's PyCapsule interface: pyarrow, DuckDB, pandas and polars take a Table as it is."""
        return self.frame.__arrow_c_stream__(requested_schema)

    def to_polars(self) -> pl.DataFrame:
        return self.frame

    def to_pandas(self) -> Any:
        """As a pandas DataFrame (needs pandas and pyarrow)."""
        return self.frame.to_pandas()

    def __repr__(self) -> str:
        name = f"{self.source}: " if self.source else ""
        return f"<Table {name}{len(self):,} rows x {len(self.columns)} columns; {self.findings.summary()}>"

    def __str__(self) -> str:
        tail = f"\n{self.findings}" if self.findings else ""
        return f"{self!r}\n{self.frame}{tail}"

    def _repr_html_(self) -> str:
        tail = self.findings._repr_html_() if self.findings else ""
        return f"<p>{self.source}</p>{self.frame._repr_html_()}{tail}"
