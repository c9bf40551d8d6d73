"""Files of a million answers and more: read, with types and findings, against what only parses them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import sessionwise as sw

from .timing import NAN, Row, each, in_turn, say

TITLE = "Reading files"
ABOUT = (
    "50,000 sessions of 100 answers; in sav and dta files a column of text besides. Ours finds types, declared "
    "missing codes, dates and oddities; the peers parse cells. The peer of each kind is the fastest we know of."
)
SESSIONS, ANSWERS, RUNS = 50_000, 100, 5


def rows(*, slow: bool = False) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        made = [
            ("xlsx", _xlsx(Path(folder)), "fastexcel", _fastexcel),
            ("sav", _sav(Path(folder)), "pyreadstat", _pyreadstat),
            ("dta", _dta(Path(folder)), "pandas", _pandas),
            ("csv", _csv(Path(folder)), "polars", _polars),
        ]
        found = []
        for kind, file, peer, theirs in made:
            say(f"reading .{kind}")
            ours, other, ratio = in_turn(lambda f=file: sw.read(f), lambda f=file, t=theirs: t(f), RUNS)
            size = f"{file.stat().st_size / 1e6:.0f} MB"
            found.append(Row(f".{kind}, {SESSIONS:,} x {ANSWERS}, {size}", ours, peer, other, ratio))
        wide = _wide(Path(folder))
        found.append(
            Row("xlsx of 16,384 columns, two rows", each(lambda: sw.read(wide)), "fastexcel", _once(wide), NAN)
        )
        return found


def _once(file: Path) -> float:
    return each(lambda: _fastexcel(file))


def _answers() -> np.ndarray:
    answers = np.random.default_rng(1).integers(0, 5, (SESSIONS, ANSWERS))
    answers[:, 0] = np.arange(SESSIONS)
    return answers


def _names(k: int = ANSWERS) -> list[str]:
    return ["row", *(f"x{i}" for i in range(1, k))]


def _xlsx(folder: Path) -> Path:
    import xlsxwriter

    book = xlsxwriter.Workbook(folder / "sessions.xlsx", {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, _names())
    for i, row in enumerate(_answers().tolist(), 1):
        sheet.write_row(i, 0, row)
    book.close()
    return folder / "sessions.xlsx"


def _wide(folder: Path) -> Path:
    import xlsxwriter

    book = xlsxwriter.Workbook(folder / "wide.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, _names(16_384))
    for i in (1, 2):
        sheet.write_row(i, 0, [i] * 16_384)
    book.close()
    return folder / "wide.xlsx"


def _frame():
    import pandas as pd

    return pd.DataFrame(_answers().astype(float), columns=_names()).assign(word="a word")


def _sav(folder: Path) -> Path:
    import pyreadstat

    pyreadstat.write_sav(_frame(), str(folder / "sessions.sav"))
    return folder / "sessions.sav"


def _dta(folder: Path) -> Path:
    _frame().to_stata(folder / "sessions.dta", write_index=False, version=118)
    return folder / "sessions.dta"


def _csv(folder: Path) -> Path:
    _frame().astype(dict.fromkeys(_names(), int)).to_csv(folder / "sessions.csv", index=False)
    return folder / "sessions.csv"


def _fastexcel(file: Path) -> object:
    import fastexcel

    return fastexcel.read_excel(file).load_sheet(0).to_polars()


def _pyreadstat(file: Path) -> object:
    import pyreadstat

    return pyreadstat.read_sav(str(file), output_format="dict")


def _pandas(file: Path) -> object:
    import pandas as pd

    return pd.read_stata(file)


def _polars(file: Path) -> object:
    import polars as pl

    return pl.read_csv(file)
