"""How much is read at most: a small file may hold, or claim to hold, more than the memory takes."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ReadError

MOST_CELLS = 250_000_000
_BYTES_A_CELL = 16


@dataclass(frozen=True, slots=True)
class Limit:
    """cells : rows x columns read at most; files, unpacked, may have 16 bytes for each (4 GB), and a megabyte."""

    cells: int = MOST_CELLS

    @property
    def bytes(self) -> int:
        return self.cells * _BYTES_A_CELL + (1 << 20)

    def check_cells(self, rows: int, columns: int, where: str) -> None:
        """Raise ReadError if a table of this size is not read."""
        if rows * columns > self.cells:
            raise ReadError(
                f"It has {rows:,} rows and {columns:,} columns, or says so: more than the {self.cells:,} cells that "
                "are read.",
                where=where,
                remedy=f"Take out what is not needed; if the size is right, raise the limit: "
                f"max_cells={rows * columns}.",
            )

    def check_bytes(self, size: int, where: str) -> None:
        """Raise ReadError if this many bytes are not read."""
        if size > self.bytes:
            raise ReadError(
                f"It has {size:,} bytes, unpacked, or more: beyond the {self.bytes:,} that are read.",
                where=where,
                remedy=f"Take out what is not needed; if the size is right, raise the limit: "
                f"max_cells={-(-size // _BYTES_A_CELL)}.",
            )
