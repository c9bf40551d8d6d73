"""The page: sections as one HTML file with everything in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import StudyError
from ..plot import style
from ..words import counted
from .painter import Painter, at_work
from .passed_on import passed_on
from .pictures import pictured
from .sections import Given, sections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from ..findings import Finding
    from ..panel import Panel
    from ..study import StudyResult

_HERE = Path(__file__).parent / "page"


def html(
    result: StudyResult,
    panel: Panel | None = None,
    *,
    facts: Sequence[tuple[str, str]] = (),
    notices: Sequence[str] = (),
    read: Sequence[Finding] = (),
    labels: bool = False,
    share: bool = False,
    started: float | None = None,
    painter: Painter | None = None,
) -> str:
    """The report as text. See `report`."""
    given = given_of(result, panel, facts, notices, read, labels=labels, share=share)
    with at_work(painter) as working:
        return _written(given, working, started)


def given_of(
    result: StudyResult,
    panel: Panel | None,
    facts: Sequence[tuple[str, str]],
    notices: Sequence[str],
    read: Sequence[Finding],
    *,
    labels: bool,
    share: bool,
) -> Given:
    """What sections are made of.

    Raises
    ------
    StudyError : the panel is not that of the result, or labels are to be shared.
    """
    if panel is not None:
        from ..study.fingerprint import fingerprint

        columns = result.study.columns
        if any(name not in panel for name in columns) or fingerprint(panel, columns) != result.fingerprint:
            raise StudyError(
                "these data are not those that were analysed.",
                where="report",
                remedy="Give the Panel that the study was run on, or run the study on this one.",
            )
    told = passed_on(result, panel, read, labels=labels, share=share)
    return Given(told.result, told.panel, told.tables(), tuple(facts), tuple(notices), told.read, share)


def _written(given: Given, painter: Painter, started: float | None) -> str:
    made, pictures = pictured(sections(given), painter)
    template = _environment().get_template("report.html")
    return template.render(
        title=given.title,
        size=_size(given),
        sections=made,
        pictures=pictures,
        version=given.result.version,
        programs=_programs(),
        policy=_policy(),
        configs=_script({"light": style(), "dark": style(True)}),
        took=None if started is None else f"{time.perf_counter() - started:.1f} s",
    )


def _size(given: Given) -> str:
    """'646 patients · 4,340 sessions · 58 therapists'."""
    sample = given.result.description.sample
    told = [(sample.persons, given.result.person), (sample.sessions, "session")]
    if sample.clusters is not None:
        named = given.panel.roles.cluster if given.panel is not None else None
        told.append((sample.clusters.number, named or "cluster"))
    return " · ".join(counted(n, word) for n, word in told)


@cache
def _programs() -> tuple[str, ...]:
    """What the page runs, and nothing else does: Vega, and the page's own few functions."""
    return tuple((_HERE / name).read_text(encoding="utf-8") for name in ("vega.js", "page.js"))


@cache
def _policy() -> str:
    """What a browser lets the page do, whatever stands in it: no request to anywhere, no program but our own."""
    digests = (base64.b64encode(hashlib.sha256(program.encode()).digest()).decode() for program in _programs())
    scripts = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    def included(name: str) -> Markup:
        return Markup((_HERE / name).read_text(encoding="utf-8"))

    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["included"] = included

    def options(text: str) -> Markup:
        return Markup(re.sub(r"(?<!\S)-[\w-]+", r'<span class="option">\g<0></span>', str(escape(text))))

    environment.filters |= {"script": lambda value: Markup(_script(value)), "raw": Markup, "options": options}
    environment.tests["kind"] = lambda part, name: type(part).__name__ == name
    return environment


def _script(value: Any) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
