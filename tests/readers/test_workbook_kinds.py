"""What a user can do with an .xlsx holds for .ods, .xlsb and .xls: sheets, headers, limits, cells in far corners."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.workbooks import KINDS, save, table, xls
from sessionwise.errors import ReadError
from sessionwise.readers import read

ROWS = (["id", "session", "phq", "note"], ["a", 1, 3.5, "x"], ["a", 2, None, "ü & <y>"], ["b", 1, 4, None])
DATA = table(*ROWS)
VALUES = [("a", 1, 3.5, "x"), ("a", 2, None, "ü & <y>"), ("b", 1, 4.0, None)]

Damage = Callable[[bytes], bytes]

kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_the_one_sheet_with_cells_is_read(tmp_path: Path, kind: str) -> None:
    found = read(save(tmp_path / f"x.{kind}", {"Empty": {}, "Data": DATA}))
    assert found.frame.rows() == VALUES
    assert found.row_numbers.tolist() == [2, 3, 4]
    assert [f.code for f in found.findings if f.code != "error-cells-unseen"] == []


@kinds
def test_one_of_several_sheets_is_chosen(tmp_path: Path, kind: str) -> None:
    file = save(tmp_path / f"x.{kind}", {"Øne": table(["a", "b"], [1, 2]), "Data": DATA})
    with pytest.raises(ReadError, match="2 sheets with cells") as caught:
        read(file)
    assert "sheet='Øne'" in caught.value.remedy
    assert read(file, sheet="Data").frame.rows() == VALUES
    assert read(file, sheet=2).frame.rows() == VALUES
    assert read(file, sheet="Øne").frame.rows() == [(1, 2)]
    for wrong in ("data", 0, 3, -5):
        with pytest.raises(ReadError, match="sheet"):
            read(file, sheet=wrong)


@kinds
def test_titles_blank_rows_and_columns(tmp_path: Path, kind: str) -> None:
    title = {0: {0: "Export"}, 3: DATA[0], 4: DATA[1], 7: DATA[2], 8: DATA[3]}
    file = save(
        tmp_path / f"x.{kind}", {"Data": {r: {c + 2: v for c, v in cells.items()} for r, cells in title.items()}}
    )
    with pytest.raises(ReadError, match="title above the header") as caught:
        read(file)
    assert "header_row=4" in caught.value.remedy
    found = read(file, header_row=4)
    assert found.frame.rows() == VALUES
    assert found.row_numbers.tolist() == [5, 8, 9]
    assert {"lines-skipped", "blank-rows"} <= {f.code for f in found.findings}
    with pytest.raises(ReadError, match="empty or beyond"):
        read(file, header_row=2)


@kinds
def test_empty_sheets(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ReadError, match="no cells"):
        read(save(tmp_path / f"x.{kind}", {"A": {}, "B": {}}))
    with pytest.raises(ReadError, match="empty"):
        read(save(tmp_path / f"y.{kind}", {"A": {}}))
    with pytest.raises(ReadError, match="no rows"):
        read(save(tmp_path / f"z.{kind}", {"A": table(["id", "x"])}))


@kinds
def test_the_limit_of_cells_holds(tmp_path: Path, kind: str) -> None:
    file = save(tmp_path / f"x.{kind}", {"A": table(["id", "x"], *([i, i] for i in range(50)))})
    assert len(read(file, max_cells=200_000)) == 50
    with pytest.raises(ReadError, match="more than the 99 cells") as caught:
        read(file, max_cells=99)
    assert "max_cells=102" in caught.value.remedy


_PEAK = """
import resource, sys
from sessionwise.errors import ReadError
from sessionwise.readers import read
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
try:
    print(read(sys.argv[1]).frame.rows())
except ReadError as error:
    print(error.what)
"""


@kinds
@pytest.mark.parametrize("corner", [(65_535, 255), (1_048_575, 16_383)])
def test_a_cell_in_a_far_corner_takes_no_memory(tmp_path: Path, kind: str, corner: tuple[int, int]) -> None:
    row, column = (min(corner[0], 65_535), min(corner[1], 255)) if kind == "xls" else corner
    rows = {**DATA, 0: {**DATA[0], column: "far"}, row: {0: "c", column: 9}}
    file = save(tmp_path / f"x.{kind}", {"Data": rows})
    done = subprocess.run([sys.executable, "-c", _PEAK, str(file)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    if kind in ("xlsx", "ods"):
        assert "('b', 1, 4.0, None, None), ('c', None, None, None, 9)" in done.stdout
    else:
        assert f"far from the others: together they span {row + 1:,} rows" in done.stdout


@pytest.mark.parametrize("mini", [False, True])
def test_far_cells_are_seen_in_small_sectors_and_second_sheets(tmp_path: Path, mini: bool) -> None:
    file = tmp_path / "x.xls"
    xls(file, {"Data": DATA, "Ünd": {0: {0: 1}, 60_000: {200: 2}}}, mini=mini)
    with pytest.raises(ReadError, match="far from the others") as caught:
        read(file, sheet="Data")
    assert "sheet 'Ünd'" in caught.value.where
    assert "xlsx" in caught.value.remedy
    xls(file, {"Data": DATA}, mini=mini)
    assert read(file).frame.rows() == VALUES


@pytest.mark.parametrize("kind", ["xls", "xlsb"])
def test_sparse_sheets_of_usual_size_are_read(tmp_path: Path, kind: str) -> None:
    rows = {**DATA, 0: {**DATA[0], 99: "last"}, 1000: {0: "z", 99: 5}}
    found = read(save(tmp_path / f"x.{kind}", {"Data": rows}))
    assert (len(found), found["last"].to_list()[-1]) == (4, 5)


@kinds
def test_damaged_workbooks_give_our_error(tmp_path: Path, kind: str) -> None:
    good = save(tmp_path / f"x.{kind}", {"Data": DATA}).read_bytes()
    for i in range(0, len(good), max(1, len(good) // 60)):
        for bad in (good[:i], good[:i] + b"\xff\x00\xfe" + good[i + 3 :]):
            file = tmp_path / f"bad.{kind}"
            file.write_bytes(bad)
            with contextlib.suppress(ReadError):
                read(file)


@pytest.mark.parametrize(("row", "column"), [(3, 16_384), (1_048_576, 2)])
def test_places_that_no_sheet_has_are_damage(tmp_path: Path, row: int, column: int) -> None:
    rows = {**DATA, row: {column: 5}}
    with pytest.raises(ReadError, match="damaged"):
        read(save(tmp_path / "x.xlsb", {"Data": rows}))


def _dimensions(said: bytes) -> Damage:
    """The record in which a sheet says where its cells lie."""
    return lambda data: data.replace(b"\x00\x02\x0e\x00" + struct.pack("<IIHH", 0, 4, 0, 4), b"\x00\x02\x0e\x00" + said)


def _number(at: int, value: int) -> Damage:
    return lambda data: data[:at] + struct.pack("<I", value) + data[at + 4 :]


#: What fastexcel takes memory for before it looks for it: gigabytes, of which the process died.
IMPOSSIBLE: dict[str, Damage] = {
    "rows that end before they begin": _dimensions(struct.pack("<IIHH", 2**31 - 1, 4, 0, 4)),
    "too many rows": _dimensions(struct.pack("<IIHH", 0, 2**32 - 1, 0, 4)),
    "more rows than a sheet has": _dimensions(struct.pack("<IIHH", 0, 2**23, 0, 4)),
    "too many columns": _dimensions(struct.pack("<IIHH", 0, 65_536, 0, 65_535)),
    "tables of sectors": _number(44, 2**31 - 1),
    "tables of small sectors": _number(64, 2**32 - 1),
    "further tables": _number(72, 2**31 - 1),
    "a stream larger than the file": lambda data: data.replace(
        struct.pack("<IQ", 3, 4096), struct.pack("<IQ", 3, 2**32 - 1)
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_an_xls_that_claims_more_than_it_has_is_damaged(tmp_path: Path, case: str) -> None:
    file = tmp_path / "x.xls"
    xls(file, {"Data": DATA})
    good = file.read_bytes()
    bad = IMPOSSIBLE[case](good)
    assert bad != good
    file.write_bytes(bad)
    done = subprocess.run([sys.executable, "-c", _PEAK, str(file)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "damaged" in done.stdout


@pytest.mark.parametrize("said", [(0, 0, 0, 0), (0, 65_536, 0, 256), (2, 4, 1, 3), (0, 4, 0, 0), (0, 4, 512, 4)])
def test_an_xls_may_be_wrong_about_where_its_cells_lie(tmp_path: Path, said: tuple[int, ...]) -> None:
    file = tmp_path / "x.xls"
    xls(file, {"Data": DATA})
    file.write_bytes(_dimensions(struct.pack("<IIHH", *said))(file.read_bytes()))
    assert read(file).frame.rows() == VALUES


@pytest.mark.parametrize(("kind", "column"), [("xlsb", 16_383), ("xlsb", 2_100), ("xls", 255), ("xlsb", 1_000)])
def test_columns_without_cells_take_no_time(tmp_path: Path, kind: str, column: int) -> None:
    """One of 16,384 columns took eight seconds of the processor."""
    file = save(tmp_path / f"x.{kind}", {"Data": {**DATA, 0: {**DATA[0], column: "far"}, 1: {**DATA[1], column: 7}}})
    if column > 2_050:
        with pytest.raises(ReadError, match="far from the others"):
            read(file)
    else:
        assert read(file)["far"].to_list() == [7, None, None]


def test_what_a_password_hides_is_no_damage(tmp_path: Path) -> None:
    """calamine's own test file issue_385.xls: what stands where the sheet says how large it is cannot be read."""
    file = tmp_path / "x.xls"
    xls(file, {"Data": DATA})
    data = file.read_bytes()
    start = data.index(b"\x09\x08") + 4
    hidden = data[:start] + data[start : start + 16] + b"\x2f\0\x06\0" + bytes(6) + data[start + 26 :]
    file.write_bytes(_dimensions(struct.pack("<IIHH", 2**31, 7, 9, 0xFFFF))(hidden))
    with pytest.raises(ReadError) as caught:
        read(file)
    assert "password" in str(caught.value)


def test_a_column_that_no_xls_has_is_damage(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="damaged"):
        read(save(tmp_path / "x.xls", {"Data": {**DATA, 1: {**DATA[1], 256: 5}}}))
