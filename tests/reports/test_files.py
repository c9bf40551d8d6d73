"""Files beside the report: CSV tables and the Word file; and the painter."""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path

import pytest

import sessionwise as sw
from sessionwise.reports import Painter, write_tables, write_word


def test_every_table_is_a_csv_with_all_digits(result: sw.StudyResult, tmp_path: Path) -> None:
    first, again = write_tables(result, tmp_path / "a"), write_tables(result, tmp_path / "b")
    assert [p.stem for p in first] == list(result.tables())
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    table = result.tables()["forward"]
    with (tmp_path / "a" / "forward.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [c.key for c in table.columns]
    assert float(rows[0]["estimate"]) == table.to_dicts()[0]["estimate"]
    assert not any("nan" in cell for row in rows for cell in row.values())


def test_the_word_file(result: sw.StudyResult, tmp_path: Path, painter: Painter) -> None:
    docx = pytest.importorskip("docx")
    path = write_word(result, tmp_path / "report.docx", painter=painter, notices=["Simulated."])
    document = docx.Document(str(path))
    text = "\n".join(p.text for p in document.paragraphs)
    assert result.answer[0] in text
    assert result.references[0] in text
    assert len(document.tables) >= 8
    assert len(document.inline_shapes) >= 3
    titles = [s._inline.docPr.get("descr") for s in document.inline_shapes]
    assert all(len(title) > 40 for title in titles)
    cells = [c.text for c in document.tables[0].rows[0].cells]
    assert cells[0] == "Effect"
    assert document.tables[0].rows[1].cells[0].text == "WAI-SR → next CORE-OM"


def test_without_python_docx_it_says_what_to_install(
    result: sw.StudyResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(sw.StudyError, match="python-docx") as caught:
        write_word(result, tmp_path / "r.docx")
    assert "pip install" in caught.value.remedy


def test_the_painter_goes_on_when_its_process_is_gone() -> None:
    spec = {"mark": "point", "data": {"values": [{}]}}
    with Painter() as painter:
        first = painter.paint(spec).result()
        assert painter._process is not None
        painter._process.kill()
        painter._process.wait()
        assert painter.paint(spec).result() == first
        assert painter.paint(spec, "png").result().startswith(b"\x89PNG")


def test_the_painter_says_what_is_wrong() -> None:
    with Painter() as painter, pytest.raises(ValueError, match=r"(?i)mark|vega|spec|scale"):
        painter.paint({"mark": math.pi}).result()


@pytest.mark.slow
def test_the_drawing_program_is_that_of_vl_convert() -> None:
    """Where the installed vl-convert brings the same versions; else `make vega`, and look at the report."""
    vl_convert = pytest.importorskip("vl_convert")
    from sessionwise.reports import vega_bundle as bundle

    kept = (Path(bundle.__file__).parent / "page" / "vega.js").read_text(encoding="utf-8")
    if f"Vega {vl_convert.get_vega_version()}" not in kept:
        pytest.skip("another version of Vega is installed")
    assert bundle.bundle() == kept
