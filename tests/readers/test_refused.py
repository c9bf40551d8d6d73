"""Delimited text and paths that are refused: what is said, where, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionwise.errors import ReadError
from sessionwise.readers import read

REFUSED = {
    "empty": ("", "is empty", "sessions.csv", "xport"),
    "blank": ("\n \n", "is empty", "sessions.csv", "xport"),
    "header only": ("id,core\n", "no rows", "sessions.csv", "with the data"),
    "double name": ("id,core,core\n1,2,3\n", "'core' stands more than once", "line 1", "name of its own"),
    "no name": (",core\n1,2\n", "Column 1 has no name", "line 1", "row.names = FALSE"),
    "numbers for names": ("1,2\n3,4\n", "numbers only", "line 1", "column names"),
    "short line": ("id,core\n1,2\n3\n4,5\n", "line 3 has 1", "line 3", "Correct these lines"),
    "long line": ("id,core\n1,2\n3,4,5\n", "line 3 has 3", "line 3", "quotation marks"),
    "one short, one long": ("id,a,b\n1,2\n3,4,5,6\n", "2 lines have", "lines 2, 3", "Correct"),
    "short after quotes": ('id,a\n"x\ny",2\n\n3\n', "line 5 has 1", "line 5", "Correct"),
    "mixed delimiters": ("id;a;b\n1;2;3\n4,5,6\n", "line 3 has 1", "line 3", "separated by comma"),
    "second header": ("id,core\n1,2\nid,core\n3,4\n", "header line stands again", "line 3", "Take these lines out"),
    "open quote": ('id,core\n1,"2\n3,4\n', "quotation mark is opened", "line 2", "Close it"),
    "text after quote": ('id,core\n1,"2"x\n3,4\n', "cannot be split", "line 2", "quotation marks"),
    "title": ("Export of 3 May\nid,core\n1,2\n3,4\n", "header line has one field", "line 1", "header_row="),
    "spaces": ("id core wai\n1 2 3\n", "several words", "line 1", "delimiter="),
    "zero byte": ("id,core\n" + "1,2\n" * 2000 + "3,\0\n", "zero bytes", "line 2002", "again"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_place_and_remedy(write, case: str) -> None:
    content, what, where, remedy = REFUSED[case]
    with pytest.raises(ReadError) as caught:
        read(write(content))
    assert what in caught.value.what
    assert "sessions.csv" in caught.value.where
    assert where in caught.value.where
    assert remedy in caught.value.remedy


OPTIONS = [
    ({"sheet": 1}, "sheet="),
    ({"delimiter": "ab"}, "not one sign"),
    ({"decimal": "x"}, "decimal"),
    ({"encoding": "klingon"}, "encoding"),
    ({"encoding": "ascii"}, "do not fit"),
    ({"header_row": 9}, "lines 1 to 3"),
    ({"header_row": "x"}, "not the number of a row"),
    ({"sheet": 1.5}, "not the name of a sheet"),
    ({"delimiter": 5}, "not a sign"),
    ({"encoding": 5}, "not the name of an encoding"),
    ({"types": "text"}, "not {column"),
    ({"dates": 5}, "not {column"),
    ({"dates": {"core": 5}}, "the format 5"),
    ({"redcap": 5}, "redcap=5"),
    ({"value_labels": 5}, "value_labels=5"),
    ({"max_cells": 0}, "not a number of cells"),
    ({"max_cells": "many"}, "not a number of cells"),
    ({"max_cells": 1}, "max_cells="),
    ({"types": {"coer": "text"}}, "Did you mean 'core'?"),
    ({"types": {"core": "float"}}, "type 'float'"),
    ({"types": {"core": "number"}}, "declared a number"),
    ({"dates": {"core": "%d.%m.%Y"}}, "are not dates"),
    ({"missing": {"coer": 99}}, "Did you mean 'core'?"),
    ({"missing": 1j}, "not a code"),
    ({"wide": "core_{}"}, "who is who"),
    ({"value_labels": "categories"}, "no meaning"),
    ({"redcap": True}, "neither"),
]


@pytest.mark.parametrize(("options", "what"), OPTIONS, ids=[str(o) for o, _ in OPTIONS])
def test_options_that_cannot_be_meant_are_refused(write, options: dict, what: str) -> None:
    with pytest.raises(ReadError, match="(?s)" + what.replace("?", r"\?")) as caught:
        read(write("id,core\n1,ü\n2,b\n"), **options)
    assert caught.value.remedy


MAGIC = {
    "gzip": (b"\x1f\x8b\x08\0", "Unpack"),
    "PDF": (b"%PDF-1.7", "CSV"),
    "SQLite": (b"SQLite format 3\0", "CSV"),
    "PNG": (b"\x89PNG\r\n", "CSV"),
    "web page": (b"<html><body>", "Excel"),
    "damaged": (b"PK\x03\x04abc", "again"),
    "workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1abc", "save"),
    "SPSS": (b"$FL2@(#) SPSS", "again"),
    "Parquet": (b"PAR1abc", "again"),
    "zero bytes": (bytes(range(256)), "export"),
}


@pytest.mark.parametrize("kind", MAGIC)
def test_other_kinds_of_file_are_named(write, kind: str) -> None:
    content, remedy = MAGIC[kind]
    with pytest.raises(ReadError) as caught:
        read(write(content))
    assert kind in str(caught.value)
    assert "sessions.csv" in caught.value.where
    assert remedy in caught.value.remedy


def test_a_zip_archive_is_named(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.csv", "w") as archive:
        archive.writestr("x.csv", "a,b\n1,2\n")
    with pytest.raises(ReadError, match="ZIP archive"):
        read(tmp_path / "a.csv")


def test_text_under_another_name_is_refused(write) -> None:
    with pytest.raises(ReadError, match=r"ends in \.xlsx"):
        read(write("id,core\n1,2\n", "book.xlsx"))


def test_paths(tmp_path: Path, write) -> None:
    write("id,core\n1,2\n", "sessions.csv")
    with pytest.raises(ReadError, match=r"Did you mean 'sessions\.csv'") as caught:
        read(tmp_path / "sesions.csv")
    assert caught.value.remedy
    with pytest.raises(ReadError, match="no folder"):
        read(tmp_path / "nowhere" / "a.csv")
    with pytest.raises(ReadError, match="a folder"):
        read(tmp_path)
    odd = write("id,core\n1,2\n", "a[1]*.csv")
    assert len(read(odd)) == 1
