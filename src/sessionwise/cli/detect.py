"""detect: events in persons' courses, beside the false alarms that are to be expected."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import SessionwiseError
from ..outputs import check_folder
from .answering import Answering, scored_panel
from .console import busy, print_result
from .files import SessionsFile
from .options import Json, OutOfRange, chosen, flag, number, verb

EPILOG = (
    "Example: sessionwise detect sessions.csv --person patient --session session -i core-om "
    "--detector sudden-gain --column core_om"
)
DETECTORS = ("sudden-gain", "rupture-repair", "model-rupture", "control-chart", "reliable-change")


def _detector(text: str) -> str:
    return chosen("--detector", text, DETECTORS)


@verb
def detect(
    sessions: SessionsFile,
    answering: Answering,
    column: Annotated[str, typer.Option(help="The measure, such as core_om.", show_default=False)],
    detector: Annotated[
        str, typer.Option(help=f"One of {', '.join(map(repr, DETECTORS))}.", callback=_detector, show_default=False)
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting of the detector, such as cutoff=7, direction=loss or thresholds=1,2; repeat for more.",
            show_default=False,
        ),
    ] = None,
    patients: Annotated[int, typer.Option(help="Simulated persons for the false alarms; 0 for none.")] = 4000,
    seed: Annotated[int, typer.Option(help="Of that simulation.")] = 0,
    out_of_range: OutOfRange = None,
    figures: Annotated[
        Path | None, typer.Option(help="Folder to write a figure of the persons found to, as PNG.", show_default=False)
    ] = None,
    json_: Json = False,
) -> None:
    """Find sudden gains, ruptures, ratings out of control limits, or reliable change, and say how many of the persons
    found chance alone would give.

    Instruments named with -i are scored first; what their keys say of reliable change and cut-offs is used.
    """
    from ..events import detect as detect_events

    written: tuple[Path, ...] = ()
    with busy("reading and scoring") as say:
        rule = _rule(detector, column, tuple(set_ or ()))
        if figures is not None:
            check_folder(figures, made=True)
        panel = scored_panel(sessions, answering, out_of_range)
        say("detecting")
        found = detect_events(panel, rule, false_alarms=patients > 0, patients=patients or 10, seed=seed)
        if figures is not None:
            from ..plot import write_episodes

            written = write_episodes(panel, found, figures)
    record = {
        "command": "detect",
        "file": sessions.file.name,
        **found.to_dict(),
        "figures": [str(path) for path in written],
        "read": panel.findings.to_dicts(),
    }
    doubts = panel.findings.warnings
    print_result(json_, record, found, *([doubts] if doubts else []), *(f"written: {path}" for path in written))


def _rule(name: str, column: str, texts: tuple[str, ...]) -> Any:
    """The detector of the options.

    Raises
    ------
    SessionwiseError : a setting that it does not have. ModelError : a value that cannot be meant.
    """
    from ..errors import nearest
    from ..events import DETECTORS as detectors

    kind: Any = detectors[name]
    from_data = ("column", "sample", "slopes", "change", "sample_sd", "reference", "of_sample")
    known = [f.name for f in fields(kind) if f.name not in from_data]
    given: dict[str, Any] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        key = key.replace("-", "_")
        if not sign or key not in known:
            raise SessionwiseError(
                f"--set needs a setting of {name} and its value, not {text!r}.{nearest(key, known)}",
                remedy=f"Settings: {', '.join(known)}.",
            )
        given[key] = _value(value)
    return kind(column=column, **given)


def _value(text: str) -> Any:
    """A number, numbers with commas between them, or the text."""
    parts = text.split(",")
    try:
        values = tuple(number(flag("set"), part) for part in parts)
    except SessionwiseError:
        return text
    return values if len(values) > 1 else values[0]
