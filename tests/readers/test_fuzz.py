"""Damaged files: whatever happens to their bytes, only the package's own errors may come out of read and check."""

from __future__ import annotations

import contextlib
import io
import random
import warnings
from pathlib import Path

import polars as pl
import pytest

from helpers.workbooks import KINDS, save, table
from sessionwise.checks import check
from sessionwise.descriptions import describe
from sessionwise.errors import ReadError, SessionwiseError
from sessionwise.panel import Panel
from sessionwise.panel.table import Table
from sessionwise.readers import read

FRAME = pl.DataFrame(
    {
        "patient": ["007", "007", "008", "008", "009"],
        "session": [1, 2, 1, 3, 1],
        "core": [1.5, 2.25, None, 0.5, 3.0],
        "wai_1": [5, 4, None, 2, 1],
        "note": ["fine", 'said "no"', "a, b", "zwei\nZeilen", "müde"],
        "date": ["2020-01-31", "2020-02-07", None, "2020-03-01", "2020-03-02"],
    }
)
SIGNS = [b",", b";", b"\t", b"|", b'"', b"\n", b"\r", b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"NA", b"1,5", b"\xe9", b"="]
WORDS = [b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x80"]


def _csv(separator: str, encoding: str = "utf-8", quote: str = "necessary") -> bytes:
    return FRAME.write_csv(separator=separator, quote_style=quote).encode(encoding)


def _xlsx() -> bytes:
    out = io.BytesIO()
    FRAME.write_excel(out)
    return out.getvalue()


def _parquet() -> bytes:
    out = io.BytesIO()
    FRAME.write_parquet(out)
    return out.getvalue()


def _sav(folder: Path) -> bytes:
    import pyreadstat

    file = folder / "valid.sav"
    frame = FRAME.to_pandas()
    pyreadstat.write_sav(
        frame,
        str(file),
        column_labels={"core": "CORE-OM"},
        variable_value_labels={"wai_1": {1.0: "never", 5.0: "always"}},
        missing_ranges={"wai_1": [{"lo": 2, "hi": 2}]},
    )
    return file.read_bytes()


def _others(folder: Path) -> list[tuple[str, bytes]]:
    """Workbooks of other kinds, and exports with a form of their own."""
    cells = table(FRAME.columns, *FRAME.rows())
    books = [(file.name, save(file, {"S": cells}).read_bytes()) for file in (folder / f"book.{k}" for k in KINDS[1:])]
    texts = [[f"about {name}" for name in FRAME.columns], [f'{{"ImportId":"{name}"}}' for name in FRAME.columns]]
    rows = [*texts, *([str(v) for v in row] for row in FRAME.rows())]
    survey = pl.DataFrame(rows, schema=FRAME.columns, orient="row").write_csv().encode()
    values = FRAME.with_row_index("record").cast(pl.String).unpivot(index="record", variable_name="field_name")
    return [*books, ("qualtrics.csv", survey), ("eav.csv", values.write_csv().encode())]


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes]]:
    return [
        ("comma.csv", _csv(",")),
        ("semicolon.csv", _csv(";").replace(b".", b",")),
        ("tab.tsv", _csv("\t", quote="always")),
        ("bar.txt", _csv("|", "utf-16")),
        ("windows.csv", _csv(";", "cp1252").replace(b"\n", b"\r\n")),
        ("plain.csv", FRAME.drop("note").write_csv().encode()),
        ("book.xlsx", _xlsx()),
        ("spss.sav", _sav(tmp_path_factory.mktemp("sav"))),
        ("table.parquet", _parquet()),
        *_others(tmp_path_factory.mktemp("others")),
    ]


def _damage(data: bytes, other: bytes, r: random.Random) -> bytes:
    """One or a few random changes."""
    b = bytearray(data)
    for _ in range(r.choice([1, 1, 1, 2, 6])):
        at = r.randrange(len(b) + 1)
        end = at + r.randint(1, 30)
        match r.randrange(9):
            case 0:
                del b[at:]
            case 1 if at < len(b):
                b[at] = r.randrange(256)
            case 2:
                b[at:at] = r.choice(SIGNS)
            case 3:
                b[end:end] = b[at:end]
            case 4:
                sign = r.choice([b",", b";", b"\t", b"|"])
                b = bytearray(bytes(b).replace(sign, r.choice(SIGNS), r.randint(1, 5)))
            case 5:
                b[at:end] = other[at:end]
            case 6:
                lines = bytes(b).split(b"\n")
                r.shuffle(lines)
                b = bytearray(b"\n".join(lines))
            case 7:
                b[at : at + 4] = r.choice(WORDS)
            case _:
                del b[at:end]
    return bytes(b)


def _use(table: Table) -> None:
    """What a user does next, with whatever columns there are: none of it may fail but with an error of ours."""
    names = table.columns
    roles = {"person": names[0], "session": names[min(1, len(names) - 1)], "time": names[-1]}
    with contextlib.suppress(SessionwiseError):
        if not check(table, **roles).errors:
            str(describe(Panel(table, **roles)))


def _fuzz(valid: list[tuple[str, bytes]], folder: Path, seeds: range) -> tuple[int, int]:
    refused = read_ = 0
    for seed in seeds:
        r = random.Random(seed)
        name, data = valid[seed % len(valid)]
        file = folder / name
        file.write_bytes(_damage(data, r.choice(valid)[1], r))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = read(file, sheet=r.choice([None, 1]) if name.startswith("book.") else None)
                _use(found)
        except ReadError as error:
            if not (error.what and error.remedy):
                pytest.fail(f"seed {seed}, {name}: without what or remedy")
            refused += 1
        except BaseException as error:
            raise AssertionError(f"seed {seed}, {name}: {type(error).__name__}: {error}") from error
        else:
            assert len(found) > 0, f"seed {seed}"
            read_ += 1
    return refused, read_


def test_only_read_errors_come_out_of_damaged_files(valid: list[tuple[str, bytes]], tmp_path: Path) -> None:
    refused, read_ = _fuzz(valid, tmp_path, range(300))
    assert refused > 50
    assert read_ > 50


@pytest.mark.slow
def test_only_read_errors_come_out_of_ten_thousand_damaged_files(
    valid: list[tuple[str, bytes]], tmp_path: Path
) -> None:
    refused, read_ = _fuzz(valid, tmp_path, range(1000, 11_000))
    print(f"refused {refused}, read {read_}")
    assert refused + read_ == 10_000
