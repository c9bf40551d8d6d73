"""A sheet as rows and columns that have cells: from an .xlsx or .ods by its own XML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..errors import ReadError, some
from ..findings import Finding
from ..words import agree, counted
from .excel_columns import Book, Column, cell_texts, column
from .limits import Limit
from .sheet_cells import ERROR, SHARED, TEXT, UNCALCULATED, Cells, Unusual, shared_texts, sheet_cells
from .sheet_plain_xml import NotXML, plain_sheet, plain_texts
from .workbook import Workbook, damaged

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


class Grid(Protocol):
    """The rows and columns of a sheet in which any cell is filled.

    rows : int64 (n_rows,), their numbers as Excel shows them, ascending. counts : int64 (n_rows,), filled cells.
    """

    @property
    def rows(self) -> np.ndarray: ...

    @property
    def counts(self) -> np.ndarray: ...

    def titles(self, row: int) -> list[str]:
        """The texts of one row (an index of `rows`), one for each column."""
        ...

    def body(self, row: int) -> list[Column]:
        """What stands below that row, one for each column."""
        ...

    def findings(self, where: str) -> list[Finding]:
        """What the sheet has that is not in its rows and columns."""
        ...


def xlsx_grid(workbook: Workbook, path: str, where: str) -> XlsxGrid:
    """The sheet whose part is `path`; ReadError if it is damaged or too large."""
    try:
        cells = sheet_cells(workbook.pieces(path))
    except Unusual:
        cells = _plainly(workbook, path)
    book = Book(_shared(workbook), workbook.format_kinds(), workbook.from_1904)
    return grid_of(cells, book, workbook.limit, where)


def grid_of(cells: Cells, book: Book, limit: Limit, where: str) -> XlsxGrid:
    """The rows and columns of these cells; ReadError if they are too many."""
    import numpy as np

    filled = _filled(cells, book)
    at = np.flatnonzero(filled)
    columns, of_column = _distinct(cells.column[at])
    rows, of_row = _distinct(cells.row[at])
    limit.check_cells(len(rows), len(columns), where)
    by_column = np.argsort(of_column.astype(np.uint16), kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(of_column, minlength=len(columns)))])
    counts = np.bincount(of_row, minlength=len(rows)).astype(np.int64)
    return XlsxGrid(rows.astype(np.int64) + 1, counts, cells, book, at[by_column], of_row[by_column], starts)


def _distinct(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct rows or columns, ascending, and which of them each is."""
    import numpy as np

    used = np.zeros(int(places.max()) + 1 if len(places) else 0, bool)
    used[places] = True
    return np.flatnonzero(used), (np.cumsum(used, dtype=np.int32) - 1)[places]


@dataclass(frozen=True, slots=True, eq=False)
class XlsxGrid:
    """A Grid. at : indices of the filled cells, by column; of_row : their rows; starts : where each column begins."""

    rows: np.ndarray
    counts: np.ndarray
    cells: Cells
    book: Book
    at: np.ndarray
    of_row: np.ndarray
    starts: np.ndarray

    def titles(self, row: int) -> list[str]:
        import numpy as np

        here = np.flatnonzero(self.of_row == row)
        texts = [""] * (len(self.starts) - 1)
        columns = np.searchsorted(self.starts, here, side="right") - 1
        for i, text in zip(columns, cell_texts(self.cells, self.book, self.at[here]).to_list(), strict=True):
            texts[i] = text or ""
        return texts

    def body(self, row: int) -> list[Column]:
        found = []
        for start, end in zip(self.starts[:-1], self.starts[1:], strict=True):
            at, rows = self.at[start:end], self.of_row[start:end]
            below = rows > row
            if not below.all():
                at, rows = at[below], rows[below]
            found.append(column(self.cells, self.book, at, rows - (row + 1), len(self.rows) - row - 1))
        return found

    def findings(self, where: str) -> list[Finding]:
        return [*self._errors(where), *self._uncalculated(where)]

    def _errors(self, where: str) -> list[Finding]:
        import numpy as np

        at = np.flatnonzero(self.cells.kind == ERROR)
        if not len(at):
            return []
        n = len(at)
        words = cell_texts_of_errors(self.cells, at[:5])
        cells = [f"{_address(self.cells, i)} ({w})" for i, w in zip(at[:5], words, strict=True)] + [""] * (n - 5)
        what = (
            f"{counted(n, 'cell')} {agree(n, 'holds', 'hold')} an error and {agree(n, 'was', 'were')} read as missing."
        )
        remedy = "Correct the formulas in the workbook."
        return [Finding("warning", "error-cells", what, f"{where}, {some(cells)}", n, remedy)]

    def _uncalculated(self, where: str) -> list[Finding]:
        import numpy as np

        at = np.flatnonzero(self.cells.kind == UNCALCULATED)
        if not len(at):
            return []
        n = len(at)
        cells = [_address(self.cells, i) for i in at[:5]] + [""] * (n - 5)
        what = f"{counted(n, 'formula')} {agree(n, 'has', 'have')} no stored result and {agree(n, 'was', 'were')} "
        what += "read as missing."
        remedy = "Open the workbook in Excel or LibreOffice and save it, so that results are stored."
        return [Finding("warning", "formula-without-value", what, f"{where}, {some(cells)}", n, remedy)]


def has_cells(workbook: Workbook, path: str) -> bool:
    """Whether a sheet has any cell with a value or a formula."""
    rest = b""
    for piece in workbook.pieces(path):
        text = rest + piece
        if any(sign in text for sign in (b"<v>", b"<v ", b"<is", b"<f", b":v>", b":v ", b":is>", b":f>")):
            return True
        rest = piece[-8:]
    return False


def _plainly(workbook: Workbook, path: str) -> Cells:
    """The cells of a sheet with unusual XML."""
    try:
        return sheet_cells(plain_sheet(workbook.pieces(path)))
    except (NotXML, Unusual) as error:
        raise damaged(workbook.source) from error


def _shared(workbook: Workbook) -> pl.Series:
    import polars as pl

    if not workbook.strings:
        return pl.Series([], dtype=pl.String)
    try:
        return shared_texts(workbook.read(workbook.strings))
    except Unusual:
        pass
    try:
        return shared_texts(b"".join(plain_texts(workbook.pieces(workbook.strings))))
    except (NotXML, Unusual) as error:
        raise damaged(workbook.source) from error


def _filled(cells: Cells, book: Book) -> np.ndarray:
    """Which cells hold anything: not an error, not a formula without a result, not a text of blanks only."""
    import numpy as np

    filled: np.ndarray = (cells.kind != ERROR) & (cells.kind != UNCALCULATED)
    for kind, pool in ((SHARED, book.shared), (TEXT, cells.texts)):
        here = np.flatnonzero(cells.kind == kind)
        if not len(here):
            continue
        index = cells.value[here]
        inside = np.isfinite(index) & (index >= 0) & (index < len(pool))
        if not inside.all():
            raise ReadError(
                "A cell points to a text that the workbook does not have.",
                where=_address(cells, int(here[~inside][0])),
                remedy="Open it in Excel or LibreOffice and save it again.",
            )
        blank = (pool.str.strip_chars() == "").to_numpy()
        filled[here] = ~blank[index.astype(np.int64)]
    return filled


def cell_texts_of_errors(cells: Cells, at: np.ndarray) -> list[str]:
    """What these error cells show: '#DIV/0!' and the like."""
    import numpy as np

    words: list[str] = cells.texts.gather(cells.value[at].astype(np.int64)).to_list()
    return words


def _address(cells: Cells, i: int) -> str:
    """'B3'."""
    letters, rest = "", int(cells.column[i]) + 1
    while rest:
        rest, last = divmod(rest - 1, 26)
        letters = chr(65 + last) + letters
    return f"{letters}{int(cells.row[i]) + 1}"
