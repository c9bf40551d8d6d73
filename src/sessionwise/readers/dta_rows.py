"""The rows of a Stata file, by their layout: one look at the header says where each column stands.

Also what keeps a damaged header from costing memory: rows that the file says to have must fit into its bytes. Layout:
Stata's help dta (formats 113 to 119); older ones are only checked.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmap import mmap

    import numpy as np

_NUMBERS = {251: "i1", 252: "i2", 253: "i4", 254: "f4", 255: "f8"}
_NEW_NUMBERS = {65530: "i1", 65529: "i2", 65528: "i4", 65527: "f4", 65526: "f8"}
_STRL = 32768
_LARGEST = {"i1": 100, "i2": 32_740, "i4": 2_147_483_620}
"""The largest values that are none of the 27 missing ones."""
_FLOAT, _DOUBLE = 2.0**127, 2.0**1023
"""From here on, floating-point numbers are the missing ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """table : structured array (n_rows,), fields 'f0', 'f1', ...; codes : 'i1', 'i2', 'i4', 'f4', 'f8' or 'S9', by
    column. utf8 : whether texts are UTF-8."""

    table: np.ndarray
    codes: tuple[str, ...]
    utf8: bool


def rows(data: bytes | mmap) -> Rows | None:
    """The file's rows; None if they are for another reader (long texts, formats before 113).

    Raises
    ------
    ValueError, struct.error : header and bytes do not go together.
    """
    if data[:11] == b"<stata_dta>":
        return _tagged(data)
    version, order = data[0], ">" if data[1] == 1 else "<"
    n_columns, n_rows = struct.unpack_from(order + "HI", data, 4)
    if version < 113:
        if n_rows * n_columns > len(data):
            raise ValueError("it has fewer rows than its header says")
        return None
    at = 109
    kinds = data[at : at + n_columns]
    if len(kinds) < n_columns:
        raise ValueError("its header is cut off")
    at += n_columns + 33 * n_columns + 2 * (n_columns + 1) + (49 if version > 113 else 12) * n_columns
    at += 33 * n_columns + 81 * n_columns
    while True:
        kind, length = struct.unpack_from(order + "bi", data, at)
        if length < 0:
            raise ValueError("its characteristics are damaged")
        at += 5 + length
        if kind == 0 and length == 0:
            break
    codes = tuple(_NUMBERS.get(k) or f"S{k}" for k in kinds)
    return _table(data, at, n_rows, codes, order, utf8=False)


def _tagged(data: bytes | mmap) -> Rows | None:
    """Formats 117 to 119."""
    head = data[:500]
    at = head.index(b"<release>") + 9
    version = int(head[at : at + 3])
    order = "<" if b"<byteorder>LSF" in head else ">"
    at = head.index(b"<K>") + 3
    (n_columns,) = struct.unpack_from(order + ("I" if version >= 119 else "H"), data, at)
    at = head.index(b"<N>") + 3
    (n_rows,) = struct.unpack_from(order + ("Q" if version >= 118 else "I"), data, at)
    places = struct.unpack_from(order + "14Q", data, data[:70_000].index(b"<map>") + 5)
    at = places[2]
    if data[at : at + 16] != b"<variable_types>" or n_columns > len(data) // 2:
        raise ValueError("its map is damaged")
    kinds = struct.unpack_from(f"{order}{n_columns}H", data, at + 16)
    at = places[9]
    if data[at : at + 6] != b"<data>":
        raise ValueError("its map is damaged")
    if any(k not in _NEW_NUMBERS and not 0 < k <= 2045 for k in kinds):
        width = sum(8 if k == _STRL else 1 for k in kinds)
        if n_rows * width > len(data):
            raise ValueError("it has fewer rows than its header says")
        return None
    codes = tuple(_NEW_NUMBERS.get(k) or f"S{k}" for k in kinds)
    return _table(data, at + 6, n_rows, codes, order, utf8=version >= 118)


def _table(data: bytes | mmap, at: int, n_rows: int, codes: tuple[str, ...], order: str, *, utf8: bool) -> Rows:
    import numpy as np

    kind = np.dtype([(f"f{i}", code if code[0] == "S" else order + code) for i, code in enumerate(codes)])
    if not codes or n_rows * kind.itemsize > len(data) - at:
        raise ValueError("it has fewer rows than its header says")
    return Rows(np.frombuffer(data, kind, n_rows, at), codes, utf8)


def numbers(column: np.ndarray, code: str) -> tuple[np.ndarray, dict[str, int]]:
    """The column as float64 with NaN for missing, and how often each extended missing value ('.a' to '.z') stands."""
    import numpy as np

    values = column.astype(np.float64)
    largest = _LARGEST.get(code)
    gone = ~(values < (_FLOAT if code == "f4" else _DOUBLE)) if largest is None else column > largest
    if not gone.any():
        return values, {}
    values[gone] = np.nan
    letters, counts = np.unique(_above(column[gone], code), return_counts=True)
    named = {f".{chr(95 + int(n))}": int(c) for n, c in zip(letters, counts, strict=True) if 2 <= n <= 27}
    return values, named


def _above(cells: np.ndarray, code: str) -> np.ndarray:
    """Which of the 27 missing values cells hold: 1 for '.', 2 for '.a', ...; 0 for others (NaN)."""
    import numpy as np

    if code in _LARGEST:
        return cells.astype(np.int64) - _LARGEST[code]
    native = cells.astype(cells.dtype.newbyteorder("="))
    if code == "f4":
        bits, first, step = native.view(np.uint32).astype(np.int64), 0x7F000000, 0x800
    else:
        bits, first, step = native.view(np.int64), 0x7FE0000000000000, 0x10000000000
    return np.where(bits >= first, (bits - first) // step + 1, 0)


def texts(column: np.ndarray, encoding: str) -> list[str]:
    """Texts of a fixed width, each up to its first zero byte; UnicodeDecodeError if they are not in this encoding."""
    return [cell.partition(b"\0")[0].decode(encoding) for cell in column.tolist()]
