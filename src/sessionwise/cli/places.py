"""Places that results are written to: tried before any work, and errors of the disk with a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import SessionwiseError

if TYPE_CHECKING:
    from ..panel import Panel


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where the results of a study go. output : None for report.html. results : a folder; None for no tables."""

    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The report.", show_default="report.html"),
    ] = None
    results: Annotated[Path | None, typer.Option(help="Folder for every table as CSV.", show_default=False)] = None
    docx: Annotated[bool, typer.Option("--docx", help="A Word file beside the report.")] = False

    @property
    def report(self) -> Path:
        return self.output or Path("report.html")

    @property
    def word(self) -> Path | None:
        return self.report.with_suffix(".docx") if self.docx else None

    def check(self, file: Path) -> None:
        """Refuses, before any work, what could not or should not be written. file : the data.

        Raises
        ------
        SessionwiseError : no HTML, a place that cannot be written, or the data or a Word file would be overwritten.
        """
        report = self.report
        if report.suffix.lower() not in (".html", ".htm"):
            raise SessionwiseError(
                f"the report is HTML, not {report.suffix or 'a file without an ending'}.",
                where=str(report),
                remedy=f"Name it {_in_html(report)}; --docx writes a Word file beside it.",
            )
        _refuse_data("report", report, file)
        can_be_written(report)
        if self.word is not None:
            _refuse_word(self.word)
        if self.results is not None:
            _refuse_tables(self.results, file)


def _in_html(path: Path) -> Path:
    """A folder's report.html, or the file with another ending."""
    return path / "report.html" if path.is_dir() or not path.name else path.with_suffix(".html")


def _refuse_word(path: Path) -> None:
    """A Word file is there to be edited, so one that exists is left alone."""
    from ..reports.word import docx_module

    docx_module()
    if path.exists():
        raise SessionwiseError(
            "there is a Word file of this name already, which may have been edited.",
            where=str(path),
            remedy="Rename or move it, or name another report with -o.",
        )
    can_be_written(path)


def _refuse_tables(folder: Path, file: Path) -> None:
    make_folder(folder)
    if file.suffix.lower() == ".csv" and file.exists() and folder.samefile(file.parent):
        raise SessionwiseError(
            "the tables would stand beside your data, and one of the same name would overwrite them.",
            where=str(folder),
            remedy="Name a folder of its own, such as --results results.",
        )
    with writing(folder), TemporaryFile(dir=folder):
        pass


def refuse_output(output: Path, file: Path) -> None:
    """Refuses, before any work, what `write_panel` could not or should not do."""
    if output.suffix.lower() not in (".csv", ".parquet"):
        what = f"cannot write a {output.suffix or 'file without an ending'}."
        raise SessionwiseError(what, where=str(output), remedy="Name a .csv or .parquet file.")
    _refuse_data("output", output, file)
    can_be_written(output)


def _refuse_data(what: str, path: Path, file: Path) -> None:
    if path.exists() and file.exists() and path.samefile(file):
        raise SessionwiseError(
            f"the {what} is the input file: that would overwrite your data.",
            where=str(path),
            remedy="Name another file.",
        )


def write_panel(panel: Panel, path: Path) -> None:
    """The columns of a Panel as .csv or .parquet."""
    frame, kind = panel.to_frame(), path.suffix.lower()
    with writing(path):
        if kind == ".csv":
            frame.write_csv(path)
        else:
            frame.write_parquet(path)


def can_be_written(path: Path) -> None:
    """Refuses, before any work, a file that cannot be written; nothing is left of the trial."""
    if path.is_dir():
        raise SessionwiseError("this is a folder, not a file.", where=str(path), remedy="Name a file in it.")
    if not path.parent.is_dir():
        raise SessionwiseError(
            "there is no such folder.", where=str(path.parent), remedy="Make it first, or name another."
        )
    there = path.exists()
    with writing(path):
        path.open("ab").close()
        if not there:
            path.unlink()


def make_folder(path: Path) -> None:
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """A file that cannot be written is an error with a remedy."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SessionwiseError(f"cannot write: {why}.", where=str(path), remedy="Name another place.") from error
