"""What cells of a workbook hold, whoever wrote the XML: kinds of cells in one column, errors, dates, sizes."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import pytest

from sessionwise.errors import ReadError
from sessionwise.readers import read
from sessionwise.readers.sheet_cells import TEXT, Unusual, sheet_cells
from sessionwise.readers.sheet_plain_xml import plain_sheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
X14 = "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"
X15 = "http://schemas.microsoft.com/office/spreadsheetml/2010/11/main"
# Styles 0 plain, 1 date, 2 [h]:mm:ss, 3 [mm]:ss by a code, 4 a time of day, 5 a number whose code has letters.
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="[mm]:ss"/>'
    '<numFmt numFmtId="165" formatCode="0.0 &quot;days&quot;_s"/></numFmts><cellXfs count="6"><xf numFmtId="0"/>'
    '<xf numFmtId="14"/><xf numFmtId="46"/><xf numFmtId="164"/><xf numFmtId="20"/><xf numFmtId="165"/></cellXfs>'
    "</styleSheet>"
)


def text(word: str) -> str:
    return f't="inlineStr"><is><t>{word}</t></is>'


def sheet(*rows: list[str]) -> str:
    """The XML of rows of cells, each what stands behind the address: ' s="1"><v>5</v>', or '' for no cell."""
    xml = f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{MAIN}"><sheetData>'
    for i, row in enumerate(rows, 1):
        cells = (f'<c r="{chr(65 + j)}{i}" {cell}</c>' for j, cell in enumerate(row) if cell)
        xml += f'<row r="{i}">{"".join(cells)}</row>'
    return xml + "</sheetData></worksheet>"


def number(value: float, style: int = 0) -> str:
    return f's="{style}"><v>{value!r}</v>'


@pytest.fixture
def book(tmp_path: Path):
    def book(xml: str, properties: str = "", extension: str = "", shared: str = "") -> Path:
        file = tmp_path / "book.xlsx"
        parts = {
            "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r" Type="{OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{properties}<sheets>'
            f'<sheet name="S" sheetId="1" r:id="r1"/></sheets>{extension}</workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">'
            f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="r2" Type="{OFFICE}/styles" Target="styles.xml"/>'
            f'<Relationship Id="r3" Type="{OFFICE}/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>',
            "xl/styles.xml": STYLES,
            "xl/worksheets/sheet1.xml": xml,
        } | ({"xl/sharedStrings.xml": shared} if shared else {})
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        return file

    return book


def column(book, *cells: str, **options):
    """The column 'x' of a sheet that has these cells in it, and the findings' codes."""
    xml = sheet([text("id"), text("x")], *([number(i), cell] for i, cell in enumerate(cells, 1)))
    table = read(book(xml, **options))
    return table, table["x"].to_list()


@pytest.mark.parametrize("space", [X14, X15, "urn:other"])
@pytest.mark.parametrize("flag", ["1", "true"])
def test_dates_count_from_1904_whatever_extensions_say(book, space: str, flag: str) -> None:
    extension = f'<extLst><ext><e:workbookPr xmlns:e="{space}" defaultImageDpi="32767"/></ext></extLst>'
    properties = f'<workbookPr date1904="{flag}"/>'
    serial = (dt.date(2020, 1, 1) - dt.date(1904, 1, 1)).days
    _, values = column(book, number(serial, 1), properties=properties, extension=extension)
    assert values == [dt.date(2020, 1, 1)]


def test_an_extension_s_1904_is_not_the_workbook_s(book) -> None:
    extension = f'<extLst><ext><e:workbookPr xmlns:e="{X14}" date1904="1"/></ext></extLst>'
    assert column(book, number(43831, 1), extension=extension)[1] == [dt.date(2020, 1, 1)]


@pytest.mark.parametrize(
    ("serial", "day"), [(1, (1900, 1, 1)), (59, (1900, 2, 28)), (61, (1900, 3, 1)), (2_958_465, (9999, 12, 31))]
)
def test_days_at_the_ends_of_excel_s_calendar(book, serial: int, day: tuple[int, int, int]) -> None:
    assert column(book, number(serial, 1))[1] == [dt.date(*day)]


@pytest.mark.parametrize("serial", [60, -3, 2_958_466, 1e300])
def test_days_that_do_not_exist_are_missing_and_named(book, serial: float) -> None:
    table, values = column(book, number(43831, 1), number(serial, 1))
    assert values == [dt.date(2020, 1, 1), None]
    (warning,) = table.findings.warnings
    assert (warning.code, warning.count) == ("odd-cells", 1)
    assert "column x, row 3" in warning.where


ERRORS = [
    "#DIV/0!",
    "#N/A",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#REF!",
    "#VALUE!",
    "#GETTING_DATA",
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#BLOCKED!",
    "#NEW!",
]


@pytest.mark.parametrize("word", ERRORS)
def test_every_error_is_missing_and_named(book, word: str) -> None:
    table, values = column(book, number(1), f't="e"><f>F()</f><v>{word}</v>', number(3))
    assert values == [1, None, 3]
    (warning,) = table.findings
    assert f"B3 ({word})" in warning.where


LENGTH = dt.timedelta(hours=30)
MIXED = [
    ((number(1.25, 2), number(0.5, 3)), [LENGTH, dt.timedelta(hours=12)], None),
    ((number(1.25, 2), text("n/a")), [LENGTH, None], "missing-marker"),
    ((number(1.25, 2), number(1.25, 2), number(0)), [LENGTH, LENGTH, None], "odd-cells"),
    ((number(1.25, 2), number(1.25, 2), number(43831, 1)), [LENGTH, LENGTH, None], "odd-cells"),
    ((number(1.25, 2), number(1.25, 2), text("left")), ["30:00:00", "30:00:00", "left"], "mixed-durations"),
    ((number(43831, 1), text("NA")), [dt.date(2020, 1, 1), None], "missing-marker"),
    ((number(3), number(4), number(43831, 1)), [3, 4, None], "odd-cells"),
    ((number(3), number(4), 't="b"><v>1</v>'), [3, 4, None], "odd-cells"),
    (('t="b"><v>1</v>', 't="b"><v>0</v>', text("NA")), [True, False, None], "missing-marker"),
    ((number(43831, 1), number(43831, 1), number(20200101)), [dt.date(2020, 1, 1)] * 2 + [None], "odd-cells"),
    ((number(1.5, 5), number(2.5, 5)), [1.5, 2.5], None),
    (('t="str"><f>A1</f><v>word</v>', 't="d"><v>2020-01-31</v>'), ["word", "2020-01-31"], None),
    (("><v>word</v>", number(2), number(3)), [None, 2, 3], "odd-cells"),
]


@pytest.mark.parametrize(("cells", "values", "code"), MIXED, ids=range(len(MIXED)))
def test_cells_of_several_kinds_in_one_column(book, cells, values, code: str | None) -> None:
    table, found = column(book, *cells)
    assert found == values
    assert [f.code for f in table.findings] == ([code] if code else [])


def test_a_column_half_of_one_kind_and_half_of_another_loses_nothing(book) -> None:
    table, values = column(book, number(3), number(43831, 1))
    assert values == ["3", "2020-01-01 00:00:00"]
    assert [f.code for f in table.findings] == ["text-in-numbers"]


PLAIN = sheet(
    [text("id"), text("x &amp; y")],
    [number(1), number(5)],
    [number(2), 't="e"><f>1/0</f><v>#DIV/0!</v>'],
    [number(3), "><f>SUM(A1:A2)</f>"],
    [number(4), text("a_x000D_&#10;b")],
)
WRITTEN = {
    "plain": PLAIN,
    "a prefix": PLAIN.replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:").replace("<x:?", "<?")
    .replace("xmlns=", "xmlns:x="),
    "attributes the other way round": PLAIN.replace('<c r="B3" t="e"', '<c t="e" r="B3"'),
    "single quotes": PLAIN.replace('"', "'"),
    "blanks": PLAIN.replace("<c r", "<c  r").replace("</v>", "</v>\n  ").replace("<v>", '<v xml:space="preserve">'),
    "line ends": PLAIN.replace("<c r", "<c\nr").replace("<row ", "\n<row\t"),
    "a comment": PLAIN.replace("<row", "<!-- <c r='A1'><v>9</v></c> --><row"),
    "CDATA": PLAIN.replace("<v>5</v>", "<v><![CDATA[5]]></v>"),
    "further attributes": PLAIN.replace('<c r="B2"', '<c r="B2" cm="1" vm="2"'),
    "UTF-16": PLAIN.replace("UTF-8", "UTF-16"),
    "the strict namespace": PLAIN.replace(MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main"),
}  # fmt: skip


@pytest.mark.parametrize("how", WRITTEN)
def test_the_same_sheet_however_its_xml_is_written(book, how: str) -> None:
    xml = WRITTEN[how]
    table = read(book(xml.encode("utf-16") if how == "UTF-16" else xml))
    assert table.frame.to_dict(as_series=False) == {"id": [1, 2, 3, 4], "x & y": ["5", None, None, "a\r\nb"]}
    assert [(f.code, f.where.rpartition(", ")[2]) for f in table.findings][:2] == [
        ("error-cells", "B3 (#DIV/0!)"),
        ("formula-without-value", "B4"),
    ]


def test_cells_without_an_address_follow_each_other(book) -> None:
    xml = sheet([text("id"), text("x")], [number(1), number(5)], [number(2), number(6)])
    import re

    bare = re.sub(r' r="\w+"', "", xml)
    with pytest.raises(Unusual):
        sheet_cells([bare.encode()])
    assert read(book(bare)).frame.rows() == read(book(xml)).frame.rows() == [(1, 5), (2, 6)]


def test_the_quick_and_the_plain_way_agree(tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    for constant in (True, False):
        workbook = xlsxwriter.Workbook(str(tmp_path / "b.xlsx"), {"constant_memory": constant})
        page, bold = workbook.add_worksheet(), workbook.add_format({"bold": True})
        date = workbook.add_format({"num_format": "dd.mm.yyyy"})
        for i in range(300):
            page.write_number(i, 0, i / 7)
            page.write_string(i, 1, f" <{i % 9}> & 'müde' \U0001f600\n\t")
            page.write_number(i, 2, 43831 + i, date)
            page.write_boolean(i, 3, i % 2 == 0)
            page.write_formula(i, 4, "=A1*2", None, i)
            page.write_rich_string(i, 5, "plain ", bold, "bold", " again")
            page.write_blank(i, 6, None, date)
        workbook.close()
        with zipfile.ZipFile(tmp_path / "b.xlsx") as archive:
            xml = archive.read("xl/worksheets/sheet1.xml")
        pieces = [xml[i : i + 5000] for i in range(0, len(xml), 5000)]
        quick, plain = sheet_cells(pieces), sheet_cells(plain_sheet(pieces))
        for name in ("row", "column", "kind", "style"):
            assert (getattr(quick, name) == getattr(plain, name)).all(), name
        other = quick.kind != TEXT
        assert (quick.value[other] == plain.value[other]).all()
        words = [each.texts.gather(each.value[~other].astype(int)).to_list() for each in (quick, plain)]
        assert words[0] == words[1]
        assert len(quick.row) == 1_800


def test_shared_texts_of_every_form(book) -> None:
    shared = (
        f'<sst xmlns="{MAIN}"><si><t>id</t></si><si><t xml:space="preserve"> x</t></si><si><t/></si><si/>'
        '<si><r><rPr><b/><sz val="11"/></rPr><t>a</t></r><r><t xml:space="preserve"> b</t></r><rPh sb="0" eb="1">'
        "<t>kana</t></rPh></si><si><t>&lt;c&gt;</t></si></sst>"
    )
    xml = sheet(*(['t="s"><v>0</v>', f't="s"><v>{i}</v>'] for i in (1, 4, 5, 2)))
    expected = {"id": ["id", "id", "id"], "x": ["a b", "<c>", None]}
    assert read(book(xml, shared=shared)).frame.to_dict(as_series=False) == expected
    prefixed = shared.replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:").replace("xmlns=", "xmlns:x=")
    assert read(book(xml, shared=prefixed)).frame.to_dict(as_series=False) == expected
    with pytest.raises(ReadError, match="does not have"):
        read(book(xml.replace("<v>5</v>", "<v>99</v>"), shared=shared))


def test_a_cell_in_the_last_corner_takes_no_memory(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    workbook = openpyxl.Workbook()
    page = workbook.active
    for row in (["id", "x"], [1, 2], [2, 3]):
        page.append(row)
    page["XFD1048576"] = "end"
    workbook.save(tmp_path / "corner.xlsx")
    with pytest.raises(ReadError, match="no name"):
        read(tmp_path / "corner.xlsx")
    page["XFD1"] = "last"
    workbook.save(tmp_path / "corner.xlsx")
    table = read(tmp_path / "corner.xlsx")
    assert table.frame.to_dict(as_series=False) == {"id": [1, 2, None], "x": [2, 3, None], "last": [None, None, "end"]}
    assert table.row_numbers.tolist() == [2, 3, 1_048_576]


def test_limits_on_cells_and_unpacked_bytes(book) -> None:
    file = book(sheet([text("id"), text("x")], *([number(i), number(i)] for i in range(10))))
    with pytest.raises(ReadError, match="20 cells") as caught:
        read(file, max_cells=20)
    assert caught.value.remedy.endswith("max_cells=22.")
    assert len(read(file, max_cells=200)) == 10
    bomb = book(sheet([text("id"), text("x")], [number(1), text("0" * 5_000_000)]))
    assert bomb.stat().st_size < 20_000
    with pytest.raises(ReadError, match="unpacked"):
        read(bomb, max_cells=100_000)


def test_many_columns_are_read_at_once(tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    workbook = xlsxwriter.Workbook(str(tmp_path / "wide.xlsx"))
    page = workbook.add_worksheet()
    for j in range(16_384):
        page.write_string(0, j, f"x{j}")
        page.write_number(1, j, j)
    workbook.close()
    table = read(tmp_path / "wide.xlsx")
    assert table.frame.shape == (1, 16_384)
    assert table.frame.row(0) == tuple(range(16_384))


@pytest.mark.parametrize("inside", [b"<sheetData>", b"<sheetData><row r='1'><c r='A1'><v>1</v></c>", b"<!DOCTYPE x>"])
def test_xml_that_is_cut_off_is_refused(book, inside: bytes) -> None:
    with pytest.raises(ReadError, match="damaged"):
        read(book(f'<worksheet xmlns="{MAIN}">{inside.decode()}'))


def test_row_names_are_left_out(book) -> None:
    xml = sheet(["", text("id"), text("x")], [number(0), number(1), number(5)], [number(1), number(1), number(6)])
    table = read(book(xml))
    assert table.columns == ("id", "x")
    assert [f.code for f in table.findings] == ["row-names"]
    with pytest.raises(ReadError, match="no name"):
        read(book(xml.replace('<c r="A3" s="0"><v>1</v>', '<c r="A3" s="0"><v>0</v>')))
