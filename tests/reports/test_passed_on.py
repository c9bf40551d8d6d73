"""What a file that is passed on tells of persons: by default a number, with `share` nothing at all."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.panel import cluster_numbers, numbered, person_numbers
from sessionwise.reports import Painter, html, report, write_tables, write_word
from sessionwise.reports.passed_on import FEWEST, key_file, without_small_cells
from sessionwise.study import StudyTable
from sessionwise.study.records import PersonEffects
from sessionwise.study.study_table import Column

COLUMNS = ("core_om", "wai_sr")


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    """Labels that nothing else in a report is like; findings that name persons, lines and therapists."""
    frame = sw.datasets.demo(persons=70, scale_scores=True).frame.select("patient", "session", "therapist", *COLUMNS)
    last = frame.group_by("patient", maintain_order=True).last().head(3).with_columns(session=pl.lit(60).cast(pl.Int64))
    frame = pl.concat([frame, last.select(frame.columns).cast(frame.schema)])
    return frame.with_columns(
        patient=pl.format("Qz{}", "patient"),
        therapist=pl.when(pl.col("patient") == frame["patient"][0])
        .then(pl.lit("Wxqz9"))
        .otherwise(pl.format("Wxqz{}", "therapist")),
    )


@pytest.fixture(scope="module")
def panel(table: pl.DataFrame) -> sw.Panel:
    return sw.Panel(table, person="patient", session="session", cluster="therapist")


@pytest.fixture(scope="module")
def result(panel: sw.Panel) -> sw.StudyResult:
    return sw.Study(*COLUMNS, dynamic=False).run(panel)


def told_by(folder: Path) -> str:
    """All text in the files of a folder, Word's too."""
    texts = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".docx":
            with zipfile.ZipFile(path) as parts:
                texts += [parts.read(name).decode("utf-8", "replace") for name in parts.namelist()]
        elif path.is_file():
            texts.append(path.read_text(encoding="utf-8"))
    return "\n".join(texts)


def everything(result: sw.StudyResult, panel: sw.Panel, painter: Painter, folder: Path, **how: bool) -> str:
    pytest.importorskip("docx")
    read = (sw.Finding("warning", "x", "Found.", "patient Qz1, line 12", 9),)
    report(result, folder / "report.html", panel, read=read, painter=painter, **how)
    write_word(result, folder / "report.docx", panel, painter=painter, **how)
    write_tables(result, folder / "tables", **how)
    return told_by(folder)


def test_no_file_tells_a_label_a_line_or_a_therapist(
    result: sw.StudyResult, panel: sw.Panel, painter: Painter, tmp_path: Path
) -> None:
    assert any("Qz" in f.where for f in result.findings)  # else there is nothing to be kept back
    assert any("Wxqz" in f.where for f in result.findings)
    told = everything(result, panel, painter, tmp_path)
    assert not re.search(r"Qz\d|Wxqz|line 12", told)


def test_labels_are_kept_where_they_are_asked_for(
    result: sw.StudyResult, panel: sw.Panel, painter: Painter, tmp_path: Path
) -> None:
    told = everything(result, panel, painter, tmp_path, labels=True)
    assert all(word in told for word in ("Qz1", "Wxqz", "line 12"))


def test_files_of_one_result_have_one_number_for_a_person(
    result: sw.StudyResult, panel: sw.Panel, painter: Painter, tmp_path: Path
) -> None:
    """In the table of effects, in the figures and in the key."""
    labels = {
        row["number"]: row["label"]
        for row in csv.DictReader(io.StringIO(key_file(result, panel).decode()))
        if row["role"] == "patient"
    }
    assert sorted(map(int, labels)) == list(range(1, panel.n_persons + 1))
    assert set(labels.values()) == set(panel.persons.tolist())
    text = html(result, panel, painter=painter)
    specs = [
        json.loads(found) for found in re.findall(r'json">(\{"con.*?|\{.*?)</script>', text) if '"persons"' in found
    ]
    rows = next(s["datasets"]["persons"] for s in specs if "value" in s["datasets"].get("persons", [{}])[0])
    values = panel["core_om"]
    for row in rows[:200]:
        at = (panel.persons[panel.codes] == labels[row["person"]]) & (panel.sessions == row["session"])
        np.testing.assert_allclose(values[at], row["value"], rtol=1e-6)
    assert isinstance(result.persons, PersonEffects)
    (tmp_path / "t").mkdir()
    write_tables(result, tmp_path / "t")
    effects = {e.person: e.value for e in result.persons.effects}
    with (tmp_path / "t" / "person_effects.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert float(row["effect"]) == effects[labels[row["person"]]]


def test_numbers_follow_neither_labels_nor_rows(table: pl.DataFrame, panel: sw.Panel) -> None:
    numbers = person_numbers(panel, COLUMNS)
    assert sorted(numbers) == list(range(1, panel.n_persons + 1))
    assert abs(np.corrcoef(numbers, np.arange(panel.n_persons))[0, 1]) < 0.4
    others = table.with_columns(patient=pl.col("patient").str.reverse()).sample(fraction=1, shuffle=True, seed=3)
    again = sw.Panel(others, person="patient", session="session", cluster="therapist")
    by_label = dict(zip(panel.persons.tolist(), numbers.tolist(), strict=True))
    for label, number in zip(again.persons.tolist(), person_numbers(again, COLUMNS).tolist(), strict=True):
        assert by_label[label[::-1]] == number


def test_the_numbered_panel_holds_the_same_sessions(panel: sw.Panel) -> None:
    made = numbered(panel, COLUMNS)
    assert made.persons.tolist() == list(range(1, panel.n_persons + 1))
    assert not made.findings
    numbers = person_numbers(panel, COLUMNS)
    assert panel.clusters is not None
    assert made.clusters is not None
    assert made.cluster_codes is not None
    assert panel.cluster_codes is not None
    clusters = cluster_numbers(panel, numbers)
    for i in range(0, panel.n_persons, 7):
        old = slice(panel.starts[i], panel.starts[i + 1])
        new = slice(made.starts[numbers[i] - 1], made.starts[numbers[i]])
        assert panel.sessions[old].tolist() == made.sessions[new].tolist()
        np.testing.assert_array_equal(panel["wai_sr"][old], made["wai_sr"][new])
        assert clusters[panel.cluster_codes[old]].tolist() == made.clusters[made.cluster_codes[new]].tolist()


def test_what_is_shared_has_nothing_of_single_persons(
    result: sw.StudyResult, panel: sw.Panel, painter: Painter, tmp_path: Path
) -> None:
    everything(result, panel, painter, tmp_path, share=True)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for spec in map(json.loads, re.findall(r'<script type="application/json">(.*?)</script>', text)):
        for rows in spec["datasets"].values():
            assert not any("person" in row or "level" in row for row in rows)
            assert all(row[key] >= FEWEST for row in rows for key in ("n", "persons", "sessions") if key in row)
    assert "figure-course-outcome" in text
    assert "figure-forward-pairs" not in text
    assert not (tmp_path / "tables" / "person_effects.csv").exists()
    with (tmp_path / "tables" / "course.csv").open(encoding="utf-8") as file:
        persons = [int(row["persons"]) for row in csv.DictReader(file)]
    assert persons
    assert min(persons) >= FEWEST
    with (tmp_path / "tables" / "sessions.csv").open(encoding="utf-8") as file:
        counts = [row[key] for row in csv.DictReader(file) for key in ("persons", "ended")]
    assert "" in counts
    assert not {"1", "2", "3", "4"} & set(counts)
    whole = write_tables(result, tmp_path / "whole")
    assert ",60,3," in next(p for p in whole if p.stem == "course").read_text(encoding="utf-8")


def test_small_cells() -> None:
    columns = (
        Column("what", "What"),
        Column("persons", "n", "count"),
        Column("a", "A", "count"),
        Column("m", "M", "number"),
    )
    table = StudyTable("t", "T", columns, (("x", 4, 9, 1.5), ("y", 50, 3, 1.5), ("z", 50, 0, 1.5)))
    made = without_small_cells(table)
    assert made.rows == (("x", None, None, None), ("y", 50, None, 1.5), ("z", 50, 0, 1.5))
    assert "below 5" in made.notes[-1]
    assert without_small_cells(StudyTable("t", "T", columns, (("z", 50, 0, 1.5),))).notes == ()


def test_labels_cannot_be_shared(result: sw.StudyResult, painter: Painter) -> None:
    with pytest.raises(sw.StudyError, match="two different reports"):
        html(result, painter=painter, labels=True, share=True)


def test_findings_tell_no_data() -> None:
    from sessionwise.errors import Argument, Datum, Wording

    said = Wording("The first is ", Datum("'Smith'"), ", see ", Argument("x=1", ("--x", "1")), ".")
    finding = sw.Finding("warning", "c", said, "line 3", 1, "Declare 'Smith'.", column="name")
    assert finding.without_data() == sw.Finding(
        "warning", "c", "The first is …, see x=1.", "column name", 1, "", column="name"
    )
    assert "Smith" in str(said)
    assert "Smith" in said.for_command_line()
    assert "Smith" not in finding.without_data().what
