"""The file of a LearnedCourse: JSON, a few kilobytes, no person in it."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...findings import Findings
from ...options import A_PATH, takes
from ...outputs import Place, check_places, write_files
from ...words import listed
from .description import ExpectedCourse
from .gaussian import Growth
from .learned import LearnedCourse

FORMAT = "sessionwise expected course"
VERSION = 1
_KEYS = ("knots", "last", "means", "ranges", "persons", "sessions", "key")


def as_dict(course: LearnedCourse) -> dict[str, Any]:
    """Everything that `read_course` needs."""
    g = course.growth
    numbers = {f.name: np.asarray(getattr(g, f.name)).tolist() for f in fields(g)}
    own = {name: getattr(course, name) for name in _KEYS}
    return {"format": FORMAT, "version": VERSION, "course": asdict(course.described), "growth": numbers, **own}


def written(course: LearnedCourse, path: str | PathLike[str], overwrite: bool) -> Path:
    """See `LearnedCourse.save`."""
    place = Place(Path(path), overwrite=overwrite)
    check_places([place])
    text = json.dumps(as_dict(course), indent=1, allow_nan=False) + "\n"
    return write_files({place: text.encode()})[0]


@takes(ModelError, path=A_PATH)
def read_course(path: str | PathLike[str]) -> LearnedCourse:
    """The course that `LearnedCourse.save` wrote.

    Raises
    ------
    ModelError : no such file, another kind of file, another version, or contents that were changed.
    """
    where = f"file {str(path)!r}"
    again = "Save the course again with this version: course.save(path)."
    try:
        told = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError("no course can be read from this file.", where=where, remedy="Check its path.") from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ModelError("this file holds no expected course.", where=where, remedy="Give one that save wrote.")
    if told.get("version") != VERSION:
        raise ModelError(
            f"this course is of version {told.get('version')!r}, not {VERSION}.", where=where, remedy=again
        )
    expected = {"format", "version", "course", "growth", *_KEYS}
    if odd := sorted(expected ^ set(told)):
        raise ModelError(f"entries are missing or unknown: {listed(odd)}.", where=where, remedy=again)
    try:
        return _of(told)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        raise ModelError("the entries of this course are not what was saved.", where=where, remedy=again) from error


def _of(told: dict[str, Any]) -> LearnedCourse:
    own = dict(told["course"])
    own["covariates"] = tuple(own["covariates"])
    own["limits"] = None if own["limits"] is None else tuple(own["limits"])
    described = ExpectedCourse(**own)
    g = told["growth"]
    arrays = {name: np.asarray(g[name], np.float64) for name in ("beta", "vcov", "between")}
    growth = Growth(**arrays, sigma=float(g["sigma"]), phi=float(g["phi"]))
    q, p = len(described.predictors), len(growth.beta)
    mean_columns = len(told["knots"]) - 1 if described.shape == "free" else 1
    numbers = np.concatenate([*(a.ravel() for a in arrays.values()), [growth.sigma, growth.phi]])
    fits = growth.vcov.shape == (p, p) and growth.between.shape == (2, 2) and p == 1 + mean_columns + 2 * q
    if not (fits and np.isfinite(numbers).all() and growth.sigma > 0 and abs(growth.phi) < 1):
        raise ValueError("numbers that no growth model has")
    if len(told["means"]) != q or len(told["ranges"]) != q + 1:
        raise ValueError("other predictors")
    return LearnedCourse(
        described=described,
        growth=growth,
        knots=tuple(int(k) for k in told["knots"]),
        last=int(told["last"]),
        means=tuple(float(m) for m in told["means"]),
        ranges=tuple((float(low), float(high)) for low, high in told["ranges"]),
        persons=int(told["persons"]),
        sessions=int(told["sessions"]),
        key=told["key"],
        findings=Findings(),
    )
