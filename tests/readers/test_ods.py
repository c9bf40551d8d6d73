"""OpenDocument spreadsheets as LibreOffice writes them: kinds of cells, repeated cells, and what is no cell."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from helpers.workbooks import ods
from sessionwise.errors import ReadError
from sessionwise.readers import read


def cell(kind: str, value: str = "", text: str = "", more: str = "") -> str:
    name = {"float": "value", "percentage": "value", "currency": "value", "string": "string-value"}.get(
        kind, f"{kind}-value"
    )
    held = f' office:{name}="{value}"' if value else ""
    inner = f"<text:p>{text or value}</text:p>"
    return f'<table:table-cell office:value-type="{kind}"{held}{more}>{inner}</table:table-cell>'


def word(text: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def number(value: float) -> str:
    return cell("float", repr(value))


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row{more}>{''.join(cells)}</table:table-row>"


def sheet(*rows: str, before: str = "", name: str = "S") -> str:
    return f'<table:table table:name="{name}">{before}{"".join(rows)}</table:table>'


def column(folder: Path, *cells: str, styles: str = "", before: str = "") -> tuple[list[object], list[str]]:
    """The cells of a column, read, and the findings."""
    rows = [row(word("id"), word("x")), *(row(number(i), c) for i, c in enumerate(cells))]
    table = read(ods(folder / "x.ods", sheet(*rows, before=before), styles=styles))
    return table["x"].to_list(), [f.code for f in table.findings]


EMPTY = "<table:table-cell/>"
KINDS = {
    "numbers": (
        [number(1.5), EMPTY, cell("percentage", "0.25", "25 %"), cell("currency", "3")],
        [1.5, None, 0.25, 3.0],
    ),
    "whole": ([number(2), number(-3)], [2, -3]),
    "dates": (
        [cell("date", "2020-01-31"), cell("date", "1900-03-01"), cell("date", "1900-01-31")],
        [dt.date(2020, 1, 31), dt.date(1900, 3, 1), dt.date(1900, 1, 31)],
    ),
    "stamps": (
        [cell("date", "2020-01-31T10:05:00"), cell("date", "2020-02-01")],
        [dt.datetime(2020, 1, 31, 10, 5), dt.datetime(2020, 2, 1)],
    ),
    "times": ([cell("time", "PT09H30M00S"), cell("time", "PT00H05M30S")], [dt.time(9, 30), dt.time(0, 5, 30)]),
    "truths": ([cell("boolean", "true", "TRUE"), cell("boolean", "false", "FALSE")], [True, False]),
    "texts": ([word("a"), word("b &lt;c&gt;"), EMPTY], ["a", "b <c>", None]),
    "numbers as text": ([word("1"), word("2")], [1, 2]),
    "spaces": (
        [word("a<text:s text:c='2'/>b<text:tab/>c"), word("a</text:p><text:p><text:span>b</text:span>c")],
        ["a  b\tc", "a\nbc"],
    ),
    "value before text": ([cell("string", "whole", "who"), word("b")], ["whole", "b"]),
    "numbers and text": ([number(1.25), word("n/a x")], ["1.25", "n/a x"]),
}


@pytest.mark.parametrize("case", KINDS)
def test_kinds_of_cells(tmp_path: Path, case: str) -> None:
    cells, values = KINDS[case]
    assert column(tmp_path, *cells)[0] == values


ELAPSED = (
    '<number:time-style style:name="N1" number:truncate-on-overflow="false"/><number:time-style style:name="N2"/>'
    '<style:style style:name="long" style:data-style-name="N1"/>'
    '<style:style style:name="clock" style:data-style-name="N2"/>'
)


def test_times_are_durations_by_their_format_or_length(tmp_path: Path) -> None:
    hours = [dt.timedelta(hours=1, minutes=30), dt.timedelta(hours=26)]
    own = [cell("time", t, more=' table:style-name="long"') for t in ("PT01H30M00S", "PT26H00M00S")]
    assert column(tmp_path, *own, styles=ELAPSED)[0] == hours
    plain = [cell("time", t) for t in ("PT01H30M00S", "PT26H00M00S")]
    columns = '<table:table-column/><table:table-column table:default-cell-style-name="long"/>'
    assert column(tmp_path, *plain, styles=ELAPSED, before=columns)[0] == hours
    assert column(tmp_path, *plain[1:], cell("time", "P1DT2H"))[0] == [hours[1], hours[1]]
    assert column(tmp_path, cell("time", "PT01H30M00S", more=' table:style-name="clock"'), styles=ELAPSED)[0] == [
        dt.time(1, 30)
    ]


def test_errors_formulas_and_impossible_dates(tmp_path: Path) -> None:
    calc = ' table:formula="of:=1/0" calcext:value-type="error"'
    values, codes = column(tmp_path, number(1), cell("string", "", "#DIV/0!", calc), number(3))
    assert (values, codes) == ([1, None, 3], ["error-cells"])
    values, codes = column(tmp_path, number(1), '<table:table-cell table:formula="of:=A1"/>')
    assert (values, codes) == ([1, None], ["formula-without-value"])
    values, codes = column(tmp_path, cell("date", "2020-01-31"), cell("date", "2020-02-31"), cell("date", "2020-02-01"))
    assert (values, codes) == ([dt.date(2020, 1, 31), None, dt.date(2020, 2, 1)], ["odd-cells"])
    values, codes = column(tmp_path, number(1), cell("float", "much"), number(2))
    assert (values, codes) == ([1, None, 2], ["odd-cells"])


def test_repeated_cells_and_rows(tmp_path: Path) -> None:
    same = cell("float", "7", more=' table:number-columns-repeated="2"')
    content = sheet(
        row(EMPTY, more=' table:number-rows-repeated="2"'),
        row(word("id"), word("x"), word("y")),
        row(number(1), same),
        row(number(2), EMPTY, number(9), more=' table:number-rows-repeated="3"'),
        row('<table:table-cell table:number-columns-repeated="16384"/>', more=' table:number-rows-repeated="1048570"'),
    )
    table = read(ods(tmp_path / "x.ods", content))
    assert table.frame.rows() == [(1, 7, 7), (2, None, 9), (2, None, 9), (2, None, 9)]
    assert table.row_numbers.tolist() == [4, 5, 6, 7]


def test_a_small_file_that_unfolds_is_refused(tmp_path: Path) -> None:
    bomb = cell("float", "7", more=' table:number-columns-repeated="16384"')
    content = sheet(row(bomb, more=' table:number-rows-repeated="1048576"'))
    with pytest.raises(ReadError, match="more than the 250,000,000 cells"):
        read(ods(tmp_path / "x.ods", content))


WRONG = {
    "repeat of none": sheet(row('<table:table-cell table:number-columns-repeated="0"/>')),
    "repeat of words": sheet(row('<table:table-cell table:number-columns-repeated="x"/>')),
    "too far": sheet(row('<table:table-cell table:number-columns-repeated="99999999999"/>', number(1))),
    "cut off": "<table:table>",
}


@pytest.mark.parametrize("case", WRONG)
def test_damaged_content(tmp_path: Path, case: str) -> None:
    with pytest.raises(ReadError, match="damaged"):
        read(ods(tmp_path / "x.ods", WRONG[case]))


def test_what_is_no_cell_is_not_read(tmp_path: Path) -> None:
    note = "<office:annotation><text:p>a note</text:p></office:annotation>"
    change = "<table:tracked-changes><table:cell-content-change><table:table-cell office:value-type='float' "
    change += "office:value='5'/></table:cell-content-change></table:tracked-changes>"
    picture = "<table:shapes><draw:frame xmlns:draw='d'><text:p>picture</text:p></draw:frame></table:shapes>"
    content = change + sheet(
        "<table:table-header-rows>" + row(word("id"), word("x")) + "</table:table-header-rows>",
        row(number(1), f'<table:table-cell office:value-type="string">{note}<text:p>b</text:p></table:table-cell>'),
        before=picture,
    )
    table = read(ods(tmp_path / "x.ods", content))
    assert table.frame.rows() == [(1, "b")]


def test_other_documents(tmp_path: Path) -> None:
    manifest = "<manifest:manifest xmlns:manifest='m'><manifest:encryption-data/></manifest:manifest>"
    with pytest.raises(ReadError, match="encrypted"):
        read(ods(tmp_path / "x.ods", "", manifest=manifest))
    text = f"<office:text>{sheet(row(word('id'), word('x')), row(number(1), number(2)))}</office:text>"
    with pytest.raises(ReadError, match="no sheet of cells"):
        read(ods(tmp_path / "x.odt", text, tables=False))
    with pytest.raises(ReadError, match="damaged"):
        read(ods(tmp_path / "x.ods", "", styles="<a>&b;</a>"))


def test_options_and_names_are_those_of_workbooks(tmp_path: Path) -> None:
    file = ods(tmp_path / "x.ods", sheet(row(word("id"), word("day")), row(word("01"), word("31.1.2020"))))
    table = read(file, dates={"day": "%d.%m.%Y"}, types={"id": "number"})
    assert table.frame.rows() == [(1, dt.date(2020, 1, 31))]
    with pytest.raises(ReadError, match="delimiter= has no meaning"):
        read(file, delimiter=";")
    other = tmp_path / "x.xlsx"
    other.write_bytes(file.read_bytes())
    (note,) = (f for f in read(other).findings if f.code == "content-not-extension")
    assert "OpenDocument" in note.what
