"""Places that results are written to: which they are, and tried before any work."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import SessionwiseError
from ..outputs import Place, check_name, check_places, write_files

if TYPE_CHECKING:
    import polars as pl

    from ..panel import Panel

#: Of files that are named on the command line.
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Write over the file named, even if sessionwise did not write it."),
]


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where the results of a study go. output : None for report.html. results : a folder; None for no tables."""

    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The report.", show_default="report.html"),
    ] = None
    results: Annotated[Path | None, typer.Option(help="Folder for every table as CSV.", show_default=False)] = None
    docx: Annotated[bool, typer.Option("--docx", help="A Word file beside the report.")] = False
    overwrite: Overwrite = False
    labels: Annotated[
        bool, typer.Option("--labels", help="Keep the labels of persons, and lines of the file, in what is written.")
    ] = False
    share: Annotated[
        bool, typer.Option("--share", help="Nothing of single persons, no counts below 5, in what is written.")
    ] = False
    key: Annotated[
        Path | None,
        typer.Option(help="File to write which number stands for whom to, for you alone.", show_default=False),
    ] = None

    @property
    def report(self) -> Path:
        return self.output or Path("report.html")

    @property
    def report_place(self) -> Place:
        return Place(self.report, overwrite=self.overwrite)

    @property
    def word_place(self) -> Place | None:
        """A Word file is there to be edited: one that was is left alone."""
        return Place(self.report.with_suffix(".docx"), named=False) if self.docx else None

    @property
    def key_place(self) -> Place | None:
        return Place(self.key, overwrite=self.overwrite, private=True) if self.key is not None else None

    def check(self, file: Path) -> None:
        """Refuses, before any work, what could not or should not be written. file : the data.

        Raises
        ------
        SessionwiseError : options that exclude each other, no HTML, a place that cannot be written, or a file that is
            not ours would be overwritten.
        StudyError : python-docx is needed and not installed.
        """
        report = self.report
        check_name(report)
        if report.suffix.lower() not in (".html", ".htm"):
            raise SessionwiseError(
                f"the report is HTML, not {report.suffix or 'a file without an ending'}.",
                where=str(report),
                remedy=f"Name it {_in_html(report)}; --docx writes a Word file beside it.",
            )
        if self.labels and self.share:
            raise SessionwiseError(
                "--labels and --share are two different reports.",
                remedy="Choose one: with the labels of persons, or without single persons.",
            )
        if self.key is not None and (self.labels or self.share):
            left = "--labels" if self.labels else "--share"
            raise SessionwiseError(
                f"with {left} no person has a number, so there is no key.", remedy=f"Leave out --key or {left}."
            )
        check_places(self.places(), [file])

    def places(self) -> list[Place]:
        """Every file that may be written."""
        places = [self.report_place]
        if self.word_place is not None:
            from ..reports.word import docx_module

            docx_module()
            places.append(self.word_place)
        if self.results is not None:
            from ..reports.csv_files import table_places

            places += table_places(self.results)
        if self.key_place is not None:
            places.append(self.key_place)
        return places


def _in_html(path: Path) -> Path:
    """A folder's report.html, or the file with another ending."""
    return path / "report.html" if path.is_dir() or not path.name else path.with_suffix(".html")


def check_scores(place: Place, file: Path) -> None:
    """Refuses, before any work, what `write_panel` could not or should not do."""
    ending = place.path.suffix
    if ending.lower() not in (".csv", ".parquet"):
        what = f"cannot write a {ending or 'file without an ending'}."
        raise SessionwiseError(what, where=str(place.path), remedy="Name a .csv or .parquet file.")
    check_places([place], [file])


def write_panel(panel: Panel, place: Place, file: Path) -> None:
    """The columns of a Panel as .csv or .parquet. file : the data, over which nothing is written.

    In CSV, text that a spreadsheet would run as a formula has an apostrophe before it.
    """
    frame, content = panel.to_frame(), io.BytesIO()
    if place.path.suffix.lower() == ".csv":
        _guarded(frame).write_csv(content)
    else:
        frame.write_parquet(content)
    write_files({place: content.getvalue()}, [file])


def _guarded(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    from ..reports.cells import guarded

    texts = [name for name, kind in frame.schema.items() if kind in (pl.String, pl.Categorical, pl.Enum)]
    plain = frame.with_columns(
        frame[name].cast(pl.String).map_elements(guarded, return_dtype=pl.String) for name in texts
    )
    return plain.rename({name: guarded(name) for name in plain.columns})
