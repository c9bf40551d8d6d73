"""The Word file: the same sections as the page, tables as Word's own, figures as pictures."""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import StudyError
from ..outputs import Place, check_places, write_files
from ..words import printable
from .page import given_of
from .painter import Painter, at_work
from .parts import Caution, Copyable, Facts, FigurePart, Part, TablePart, Text, Unanswered, Warnings
from .pictures import Picture, pictured
from .sections import sections

if TYPE_CHECKING:
    from os import PathLike

    from ..panel import Panel
    from ..study import StudyResult
    from .printed_tables import ShownTable

_CENTIMETRES = 16.5
_FIGURE = 15.0
#: A longer table is no table for a paper; it is among the CSV files.
_MOST_ROWS = 60
#: A table of so many rows is not divided between pages.
_MOST_TOGETHER = 16


def write_word(
    result: StudyResult,
    path: str | PathLike[str],
    panel: Panel | None = None,
    *,
    facts: Sequence[tuple[str, str]] = (),
    notices: Sequence[str] = (),
    labels: bool = False,
    share: bool = False,
    painter: Painter | None = None,
    overwrite: bool = False,
) -> Path:
    """Tables, figures and texts of a result as a Word file (.docx), to be edited. Needs python-docx.

    See `report` for the arguments. A Word file that was edited is not written over, unless that is said.

    Raises
    ------
    StudyError : python-docx is not installed, or the panel is not the one that was analysed.
    SessionwiseError : the file cannot be written, or is there and was edited, or not written by this package.
    """
    place = Place(Path(path), overwrite=overwrite)
    check_places([place])
    content = word_file(result, panel, facts=facts, notices=notices, labels=labels, share=share, painter=painter)
    return write_files({place: content})[0]


def word_file(
    result: StudyResult,
    panel: Panel | None = None,
    *,
    facts: Sequence[tuple[str, str]] = (),
    notices: Sequence[str] = (),
    labels: bool = False,
    share: bool = False,
    painter: Painter | None = None,
) -> bytes:
    """What `write_word` writes."""
    docx = docx_module()
    given = given_of(result, panel, facts, notices, (), labels=labels, share=share)
    document = docx.Document()
    document.core_properties.title = printable(given.title)[:255]
    document.core_properties.author = f"sessionwise {result.version}"
    _plain(document)
    document.add_heading(printable(given.title), 0)
    with at_work(painter) as working:
        made, drawn = pictured(sections(given), working, "png")
        for section in made:
            document.add_heading(printable(section.title), 1)
            for part in section.parts:
                _add(document, part, drawn)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def docx_module() -> Any:
    """python-docx. Raises StudyError if it is not installed."""
    try:
        import docx
    except ImportError:
        raise StudyError(
            "a Word file needs the package python-docx, which is not installed.",
            remedy='Install it: pip install "sessionwise[docx]" (or pip install python-docx).',
        ) from None
    return docx


def _add(document: Any, part: Part, drawn: dict[str, Picture]) -> None:
    """One part at the end of the document."""
    match part:
        case Text(text, kind):
            document.add_paragraph(printable(text), style="Caption" if kind == "note" else None)
        case Caution(title, text):
            document.add_paragraph(printable(f"{title}: {text}"), style="Quote")
        case Warnings(title, findings):
            document.add_paragraph(title, style="Heading 3")
            for f in findings:
                document.add_paragraph(printable(f"{f.what} {f.remedy}".strip()), style="List Bullet")
        case Unanswered(told):
            document.add_paragraph(printable(str(told)), style="Quote")
        case TablePart(table):
            _table(document, table)
        case FigurePart():
            _figure(document, drawn[part.name])
        case Copyable(_, title, paragraphs, _):
            document.add_heading(title, 2)
            for text in paragraphs:
                document.add_paragraph(printable(text))
        case Facts(facts):
            for name, what in facts:
                document.add_paragraph(printable(f"{name}: {what}"))


def _figure(document: Any, drawn: Picture) -> None:
    from docx.shared import Cm

    document.add_paragraph(printable(drawn.title), style="Heading 3").paragraph_format.keep_with_next = True
    shape = document.add_picture(io.BytesIO(drawn.still.result()), width=Cm(_FIGURE))
    shape._inline.docPr.set("descr", printable(drawn.description))  # Word's alternative text
    document.add_paragraph(printable(drawn.subtitle), style="Caption")


def _table(document: Any, table: ShownTable) -> None:
    """As journals print it: lines above and below the heads and at the end, numbers flush to the right."""
    from docx.shared import Cm

    title = document.add_paragraph(printable(table.title), style="Heading 3")
    title.paragraph_format.keep_with_next = True
    if len(table.rows) > _MOST_ROWS:
        document.add_paragraph(f"{len(table.rows):,} rows: see {table.name}.csv.")
        return
    rows = (["\n".join(map(printable, c.lines)) for c in row] for row in table.rows)
    texts = [[printable(head.title) for head in table.head], *rows]
    made = document.add_table(len(texts), len(table.head))
    widths = _widths(texts)
    for column, width in zip(made.columns, widths, strict=True):
        column.width = Cm(width)
    every = iter(made._cells)  # all at once: asking row by row takes time with the square of rows
    for i, texts_of_row in enumerate(texts):
        cells = list(itertools.islice(every, len(texts_of_row)))
        for cell, text, head, width in zip(cells, texts_of_row, table.head, widths, strict=True):
            _fill(cell, text, head.number, width, bold=i == 0, together=i + 1 < len(texts) <= _MOST_TOGETHER)
            _lines(cell, top=i == 0, bottom=i in (0, len(texts) - 1))
    for note in table.notes:
        document.add_paragraph(printable(note), style="Caption")


def _widths(texts: list[list[str]]) -> list[float]:
    """Centimetres of each column, by its longest line and the longest word of its head."""
    longest = [
        min(max(max(len(line) for text in column for line in text.split("\n")), 5), 42) + 4
        for column in zip(*texts, strict=True)
    ]
    return [_CENTIMETRES * n / sum(longest) for n in longest]


def _fill(cell: Any, text: str, number: bool, width: float, *, bold: bool, together: bool) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm, Pt

    cell.width = Cm(width)
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
    paragraph.paragraph_format.keep_with_next = together
    paragraph.paragraph_format.line_spacing = 1
    run = paragraph.add_run(text)
    run.font.size, run.bold = Pt(8), bold or None
    if number:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _lines(cell: Any, *, top: bool, bottom: bool) -> None:
    """Lines of a cell; python-docx has no words for them."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    if not top and not bottom:
        return
    borders = OxmlElement("w:tcBorders")
    for side in ("top",) * top + ("bottom",) * bottom:
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "6"), ("color", "000000")):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    cell._tc.get_or_add_tcPr().append(borders)


def _plain(document: Any) -> None:
    """A4; the template's blue headings and captions in black, in the type of its text."""
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt, RGBColor

    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(2.2)

    for name, size in (("Title", 20), ("Heading 1", 15), ("Heading 2", 13), ("Heading 3", 10.5), ("Caption", 8.5)):
        style = document.styles[name]
        style.font.color.rgb, style.font.size = RGBColor(0, 0, 0), Pt(size)
        style.font.bold = name != "Caption"
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:ascii"), "Calibri")
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:hAnsi"), "Calibri")
    document.styles["Normal"].font.name = "Calibri"
