"""track: persons against the course that was to be expected; learning such a course from a reference sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import SessionwiseError
from ..outputs import Place, check_folder, check_places
from .answering import Answering, scored_panel
from .console import busy, print_result
from .files import SessionsFile
from .options import Json, OutOfRange, chosen, verb

EPILOG = (
    "Example: sessionwise track old.csv --person patient --session session -i core-om --column core_om "
    "--learn course.json; then sessionwise track new.csv --person patient --session session -i core-om "
    "--reference course.json"
)
SHAPES = ("log", "linear", "free")


def _shape(text: str) -> str:
    return chosen("--shape", text, SHAPES)


@verb
def track(
    sessions: SessionsFile,
    answering: Answering,
    reference: Annotated[
        Path | None, typer.Option(help="File of a learned course, by which persons are judged.", show_default=False)
    ] = None,
    learn: Annotated[
        Path | None, typer.Option(help="File to save a course to that is learned here.", show_default=False)
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="With --learn: the measure, such as core_om.", show_default=False)
    ] = None,
    covariate: Annotated[
        list[str] | None, typer.Option(help="With --learn: a numeric column; repeat for more.", show_default=False)
    ] = None,
    shape: Annotated[str, typer.Option(help="With --learn: one of 'log', 'linear', 'free'.", callback=_shape)] = "log",
    level: Annotated[float, typer.Option(help="With --learn: share of ratings that a band is to hold.")] = 0.80,
    folds: Annotated[int, typer.Option(help="With --learn: of the cross-validation; 0 for none.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the cross-validation.")] = 0,
    show: Annotated[
        list[str] | None, typer.Option(help="A person to be shown, by label; repeat for more.", show_default=False)
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over the file of --learn.")] = False,
    out_of_range: OutOfRange = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            help="Folder for a figure of those shown, else of those not on track, as PNG.", show_default=False
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Say who is on track, not on track or reliably worse, by a course learned from a reference sample; or learn one.

    Persons are counted; sessions are printed of those asked for with --show alone.
    """
    if (reference is None) == (learn is None):
        raise SessionwiseError("track needs either --reference or --learn.", remedy="Add --reference and a file.")
    if learn is not None:
        check_places([Place(learn, overwrite=overwrite)], [sessions.file])
        if column is None:
            raise SessionwiseError("--learn needs a measure.", remedy="Add --column, such as --column core_om.")
        described = _described(column, tuple(covariate or ()), shape, level)
    if figures is not None:
        check_folder(figures, made=True)
    with busy("reading and scoring") as say:
        from ..events import read_course

        course = None if reference is None else read_course(reference)
        panel = scored_panel(sessions, answering, out_of_range)
        record: dict[str, Any] = {"command": "track", "file": sessions.file.name}
        written: tuple[Path, ...] = ()
        if learn is not None:
            say("learning")
            course = described.fit(panel)
            validated = described.validate(panel, folds=folds, seed=seed) if folds else None
            written = (course.save(learn, overwrite=overwrite),)
            record |= {"course": course.to_dict(), "validated": None if validated is None else validated.to_dict()}
            results: list[Any] = [course, *([validated] if validated is not None else [])]
        else:
            assert course is not None
            say("tracking")
            found, named = course.track(panel), tuple(show or ())
            told = found.to_dict(named)
            record |= told
            results = [found, *(_line(row) for row in told["sessions"])]
            if figures is not None:
                from ..plot import write_expected_course

                written = write_expected_course(found, figures, named or None)
    record |= {"written": [str(path) for path in written], "read": panel.findings.to_dicts()}
    doubts = panel.findings.warnings
    print_result(json_, record, *results, *([doubts] if doubts else []), *(f"written: {path}" for path in written))


def _described(column: str, covariates: tuple[str, ...], shape: Any, level: float) -> Any:
    from ..events import ExpectedCourse

    return ExpectedCourse(column, covariates=covariates, shape=shape, level=level)


def _line(row: dict[str, Any]) -> str:
    from ..words import num

    band = "" if row["course_low"] is None else f", expected {num(row['course_low'])} to {num(row['course_high'])}"
    since = "" if row["since"] is None else f" since session {row['since']}"
    return f"{row['person']}, session {row['session']}: {num(row['rating'])}{band}: {row['status']}{since}"
