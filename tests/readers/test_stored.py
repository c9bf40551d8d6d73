"""Dates, times, durations and missing values as SPSS, Stata and SAS store them."""

from __future__ import annotations

import datetime as dt
import struct
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sessionwise.errors import ReadError
from sessionwise.readers import read, spss_stata_sas

pd = pytest.importorskip("pandas")
pyreadstat = pytest.importorskip("pyreadstat")

NEW_YEAR = (dt.date(2020, 1, 1) - dt.date(1582, 10, 14)).days * 86_400.0
HOUR = 3600.0


def codes(table) -> list[str]:
    return [f.code for f in table.findings if f.code != "looks-wide"]


SPSS = [
    ("DATE11", [NEW_YEAR], [dt.date(2020, 1, 1)], []),
    ("EDATE10", [NEW_YEAR + HOUR], [dt.date(2020, 1, 1)], []),
    ("DATETIME20", [NEW_YEAR + HOUR], [dt.datetime(2020, 1, 1, 1)], []),
    ("YMDHMS19", [NEW_YEAR + HOUR], [dt.datetime(2020, 1, 1, 1)], []),
    ("TIME8", [HOUR, 23.5 * HOUR], [dt.time(1), dt.time(23, 30)], []),
    ("TIME8", [HOUR, 25 * HOUR], [dt.timedelta(hours=1), dt.timedelta(hours=25)], ["durations"]),
    ("TIME8", [-HOUR, HOUR], [dt.timedelta(hours=-1), dt.timedelta(hours=1)], ["durations"]),
    ("DTIME14", [HOUR, 30 * HOUR], [dt.timedelta(hours=1), dt.timedelta(hours=30)], []),
    ("MOYR8", [NEW_YEAR], [dt.date(2020, 1, 1)], ["dates-by-period"]),
    ("QYR8", [NEW_YEAR], [dt.date(2020, 1, 1)], ["dates-by-period"]),
    ("WKYR10", [NEW_YEAR], [dt.date(2020, 1, 1)], ["dates-by-period"]),
    ("DATE11", [NEW_YEAR, 1e13], [dt.date(2020, 1, 1), None], ["impossible-date"]),
    ("DATETIME20", [NEW_YEAR, 1e300], [dt.datetime(2020, 1, 1), None], ["impossible-date"]),
    ("WKDAY9", [1.0, 7.0], [1, 7], []),
    ("F8.2", [1.5, np.nan], [1.5, None], []),
]


@pytest.mark.parametrize(("form", "numbers", "values", "said"), SPSS, ids=[f"{c[0]}-{i}" for i, c in enumerate(SPSS)])
def test_spss_dates_and_times(tmp_path: Path, form: str, numbers, values, said: list[str]) -> None:
    frame = pd.DataFrame({"id": range(len(numbers)), "x": numbers})
    pyreadstat.write_sav(frame, str(tmp_path / "x.sav"), variable_format={"x": form})
    table = read(tmp_path / "x.sav")
    assert table["x"].to_list() == values
    assert codes(table) == said


def test_a_date_declared_missing_is_missing_and_counted(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1.0, 2.0, 3.0], "seen": [NEW_YEAR, NEW_YEAR - 86_400, NEW_YEAR]})
    pyreadstat.write_sav(
        frame,
        str(tmp_path / "x.sav"),
        variable_format={"seen": "DATE11"},
        missing_ranges={"seen": [NEW_YEAR - 86_400]},
    )
    table = read(tmp_path / "x.sav")
    assert table["seen"].to_list() == [dt.date(2020, 1, 1), None, dt.date(2020, 1, 1)]
    assert [f.what for f in table.findings] == [
        "Code 2019-12-31, declared missing in the file, was set missing in 1 cell."
    ]


STATA = {
    "td": (dt.datetime(2020, 2, 29), dt.date(2020, 2, 29), []),
    "tc": (dt.datetime(2020, 2, 29, 10, 5), dt.datetime(2020, 2, 29, 10, 5), []),
    "tw": (dt.datetime(2020, 1, 8), dt.date(2020, 1, 8), ["dates-by-period"]),
    "tm": (dt.datetime(2020, 2, 1), dt.date(2020, 2, 1), ["dates-by-period"]),
    "tq": (dt.datetime(1959, 10, 1), dt.date(1959, 10, 1), ["dates-by-period"]),
    "th": (dt.datetime(2020, 7, 1), dt.date(2020, 7, 1), ["dates-by-period"]),
    "ty": (dt.datetime(2020, 1, 1), 2020, []),
}


@pytest.mark.parametrize("unit", STATA)
@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_stata_dates(tmp_path: Path, unit: str, version: int) -> None:
    given, expected, said = STATA[unit]
    frame = pd.DataFrame({"id": np.array([1, 2], np.int8), "x": [given, given]})
    frame.to_stata(tmp_path / "x.dta", convert_dates={"x": unit}, write_index=False, version=version)
    table = read(tmp_path / "x.dta")
    assert table["x"].to_list() == [expected, expected]
    assert codes(table) == said


def test_stata_clocks_of_a_day_and_more(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1, 2], "x": [1_800_000.0, 93_600_000.0]})
    for form, expected in (("%tcHH:MM", [dt.timedelta(minutes=30), dt.timedelta(hours=26)]), ("%tc", None)):
        pyreadstat.write_dta(frame, str(tmp_path / "x.dta"), variable_format={"x": form})
        values = read(tmp_path / "x.dta")["x"].to_list()
        assert values == (expected or [dt.datetime(1960, 1, 1, 0, 30), dt.datetime(1960, 1, 2, 2)])


SAS = [
    ("DATE9", [21915.0], dt.date(2020, 1, 1)),
    ("YYMMDD10", [21915.0], dt.date(2020, 1, 1)),
    ("MONYY7", [21915.0], dt.date(2020, 1, 1)),
    ("DATETIME20", [21915 * 86_400.0 + HOUR], dt.datetime(2020, 1, 1, 1)),
    ("TIME8", [HOUR], dt.time(1)),
    ("TIME8", [26 * HOUR], dt.timedelta(hours=26)),
    ("HHMM5", [26 * HOUR], dt.timedelta(hours=26)),
    ("BEST12", [26.5], 26.5),
]


@pytest.mark.parametrize(("form", "numbers", "value"), SAS, ids=[f"{c[0]}-{i}" for i, c in enumerate(SAS)])
def test_sas_dates_and_times(tmp_path: Path, form: str, numbers: list[float], value) -> None:
    frame = pd.DataFrame({"id": [1.0], "x": numbers})
    pyreadstat.write_xport(frame, str(tmp_path / "x.xpt"), variable_format={"x": form})
    assert read(tmp_path / "x.xpt")["x"].to_list() == [value]


@pytest.mark.parametrize("cells", [["d", "d", "d"], [1, "d", 2], ["a", "z", "d"]])
def test_tagged_missing_values_are_missing_though_nothing_else_is_there(tmp_path: Path, cells: list) -> None:
    frame = pd.DataFrame({"id": [1, 2, 3], "phq_1": [5, 6, 7], "phq_2": pd.Series(cells, dtype=object)})
    letters = sorted({c for c in cells if isinstance(c, str)})
    pyreadstat.write_dta(frame, str(tmp_path / "x.dta"), missing_user_values={"phq_2": letters})
    table = read(tmp_path / "x.dta")
    assert table["phq_2"].dtype.is_numeric()
    assert table["phq_2"].to_list() == [c if isinstance(c, int) else None for c in cells]
    assert {f.what.split()[1]: f.count for f in table.findings if f.code == "user-missing"} == {
        f".{letter},": cells.count(letter) for letter in letters
    }
    long = read(tmp_path / "x.dta", wide="phq_{}", person="id")
    assert long["phq"].dtype == pl.Int64
    assert len(long) == 3 + sum(isinstance(c, int) for c in cells)


@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_stata_rows_are_read_as_pyreadstat_reads_them(tmp_path: Path, version: int, monkeypatch) -> None:
    r = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "v1": r.integers(-127, 101, 50).astype(np.int8),
            "v2": r.integers(-32_767, 32_741, 50).astype(np.int16),
            "v3": r.integers(-(2**31) + 1, 2**31 - 28, 50).astype(np.int32),
            "v4": np.where(r.random(50) < 0.3, np.nan, r.normal(size=50)).astype(np.float32),
            "v5": np.where(r.random(50) < 0.3, np.nan, r.normal(size=50) * 1e300),
            "v6": r.choice(["", "a", "müde", "x" * 20], 50),
        }
    )
    frame.to_stata(tmp_path / "x.dta", write_index=False, version=version)
    quick = read(tmp_path / "x.dta").frame
    monkeypatch.setattr(spss_stata_sas, "_checked", lambda *_: None)
    assert quick.equals(read(tmp_path / "x.dta").frame)
    assert quick["v5"].null_count() == frame["v5"].isna().sum() > 0


def test_long_texts_of_stata_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1, 2], "note": ["x" * 5000, "short"]})
    frame.to_stata(tmp_path / "x.dta", write_index=False, version=118, convert_strl=["note"])
    assert read(tmp_path / "x.dta")["note"].to_list() == ["x" * 5000, "short"]


@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_rows_that_the_file_does_not_have_are_refused_before_memory_is_taken(tmp_path: Path, version: int) -> None:
    file = tmp_path / "x.dta"
    pd.DataFrame({"id": [1, 2], "x": [1.5, 2.5]}).to_stata(file, write_index=False, version=version)
    data = bytearray(file.read_bytes())
    at, code = (6, "<I") if version == 114 else (data.index(b"<N>") + 3, "<I" if version == 117 else "<Q")
    data[at : at + struct.calcsize(code)] = struct.pack(code, 100_000_000)
    file.write_bytes(data)
    with pytest.raises(ReadError, match="fewer rows than its header says"):
        read(file)


def test_files_of_more_cells_than_the_limit_are_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": range(100), "x": range(100)})
    for ending, write in (
        ("sav", pyreadstat.write_sav),
        ("dta", pyreadstat.write_dta),
        ("xpt", pyreadstat.write_xport),
    ):
        write(frame, str(tmp_path / f"x.{ending}"))
        with pytest.raises(ReadError, match="max_cells=200"):
            read(tmp_path / f"x.{ending}", max_cells=199)
        assert len(read(tmp_path / f"x.{ending}", max_cells=200)) == 100
