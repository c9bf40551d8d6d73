"""The dictionary of an SPSS system file, checked before ReadStat sees it.

ReadStat trusts some counts and indices of the dictionary and may end the whole process on a damaged one. Walking the
records takes microseconds and turns such a file into a ReadError. Layout of the records: PSPP's developer manual.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ..errors import ReadError

if TYPE_CHECKING:
    from mmap import mmap

_HEADER = 176
_MOST_RECORDS = 1_000_000


def check_dictionary(data: bytes | mmap, source: str) -> None:
    """Raise ReadError if the records before the data do not hang together."""
    try:
        _walk(data)
    except (struct.error, ValueError) as error:
        raise ReadError(
            f"The SPSS file is damaged or cut off: {error}.",
            where=source,
            remedy="Fetch it again, or save it again from SPSS.",
        ) from error


def _walk(data: bytes | mmap) -> None:
    if len(data) < _HEADER:
        raise ValueError("its header is incomplete")
    order = "<" if data[64:68] in (b"\2\0\0\0", b"\3\0\0\0") else ">"
    if order == ">" and data[64:68] not in (b"\0\0\0\2", b"\0\0\0\3"):
        raise ValueError("its header has an unknown layout")
    at, widths, expected = _HEADER, [0], 0
    for _ in range(_MOST_RECORDS):
        (kind,) = struct.unpack_from(order + "i", data, at)
        if kind == 2:
            at, expected = _variable(data, at, order, widths, expected)
            continue
        if expected:
            raise ValueError("a string variable is incomplete")
        if kind == 999:
            if len(widths) == 1:
                raise ValueError("it has no variables")
            return _cases(data, at + 8, order, len(widths) - 1)
        at = _other(data, at, order, kind, widths)
    raise ValueError("its dictionary does not end")


def _cases(data: bytes | mmap, at: int, order: str, values: int) -> None:
    """The header's number of cases must fit into the bytes there are, or memory would be taken for all of them."""
    compression, _, cases = struct.unpack_from(order + "3i", data, 72)
    least = {0: 8, 1: 1}.get(compression)  # bytes a value takes at least; zlib's (2) may be far fewer
    if cases > 0 and least is not None and cases * values * least > len(data) - at:
        raise ValueError("it has fewer cases than its header says")
    if compression not in (0, 1, 2) or cases < -1:
        raise ValueError("its header has an impossible number of cases or kind of compression")


def _variable(data: bytes | mmap, at: int, order: str, widths: list[int], expected: int) -> tuple[int, int]:
    """One variable record: where the next starts, and how many continuation records must follow."""
    _, width, labelled, missing = struct.unpack_from(order + "4i", data, at)
    if not -1 <= width <= 255 or (expected > 0) != (width == -1):
        raise ValueError(f"variable {len(widths)} has an impossible width")
    if labelled not in (0, 1) or not -3 <= missing <= 3 or missing == -1 or (width and missing < 0):
        raise ValueError(f"variable {len(widths)} has impossible labels or missing values")
    if width == -1 and (missing or labelled):
        raise ValueError(f"variable {len(widths)} continues another but has missing values")
    at += 32
    if labelled:
        (length,) = struct.unpack_from(order + "i", data, at)
        if not 0 <= length <= 65_535:
            raise ValueError(f"the label of variable {len(widths)} has an impossible length")
        at += 4 + (length + 3) // 4 * 4
    at += 8 * abs(missing)
    _within(data, at)
    widths.append(width)
    return at, expected - 1 if width == -1 else max((width + 7) // 8 - 1, 0)


def _other(data: bytes | mmap, at: int, order: str, kind: int, widths: list[int]) -> int:
    """A record that is not a variable's; where the next starts."""
    if kind == 3:
        return _value_labels(data, at, order, widths)
    if kind == 6:
        (lines,) = struct.unpack_from(order + "i", data, at + 4)
        end = at + 8 + 80 * _count(lines, 100_000)
    elif kind == 7:
        size, count = struct.unpack_from(order + "2i", data, at + 8)
        end = at + 16 + _count(size, len(data)) * _count(count, len(data))
    else:
        raise ValueError(f"a record of unknown kind {kind} stands at byte {at}")
    _within(data, end)
    return end


def _value_labels(data: bytes | mmap, at: int, order: str, widths: list[int]) -> int:
    """A record of value labels with the record of the variables it is for, which must follow."""
    (count,) = struct.unpack_from(order + "i", data, at + 4)
    at += 8
    for _ in range(_count(count, len(data) // 16)):
        _within(data, at + 9)
        at += 8 + (data[at + 8] + 8) // 8 * 8
    kind, variables = struct.unpack_from(order + "2i", data, at)
    if kind != 4:
        raise ValueError("value labels are not followed by their variables")
    at += 8
    indices = struct.unpack_from(f"{order}{_count(variables, len(widths))}i", data, at)
    for index in indices:
        if not 1 <= index < len(widths) or widths[index] == -1:
            raise ValueError("value labels point to a variable that does not exist")
    if len({widths[i] == 0 for i in indices}) > 1:
        raise ValueError("value labels are for numbers and text at once")
    return int(at + 4 * variables)


def _count(n: int, most: int) -> int:
    if not 0 <= n <= most:
        raise ValueError("a count in its dictionary is impossible")
    return n


def _within(data: bytes | mmap, at: int) -> None:
    if at > len(data):
        raise ValueError("its dictionary is cut off")
