"""Sensitivity: every method of the registry, beside the main model."""

from __future__ import annotations

from dataclasses import replace

from ...errors import DesignError, ModelError
from ..parts.fits import sentence
from ..records import Estimate, NotAnswered, Sensitivity, SensitivityRow
from .agreement import agreement, distance
from .method import Estimates, MainModels, Method
from .registry import methods


def sensitivity(basis: MainModels) -> Sensitivity:
    """Run all methods that apply."""
    setting = basis.setting
    rows = _marked(_with_distances(tuple(_row(method, basis) for method in methods() if method.applies(setting))))
    used = basis.net.used
    lines = not isinstance(used, NotAnswered) and used.line
    # where persons' own lines matter, methods without these are known to be of something else
    judged = {method.key for method in methods() if (method.key in ("net", "own-trend") if lines else method.judged)}
    told = agreement(setting, tuple(row for row in rows if row.key in judged))
    return Sensitivity(
        rows=rows,
        reference=_first(rows).key,
        agree=all(one.agree for one in told),
        words=tuple(one.words for one in sorted(told, key=lambda one: one.agree)),
        disagree=tuple(one.words for one in told if not one.agree),
        sd_outcome=setting.sd_outcome,
        sd_process=setting.sd_process,
        first=setting.first,
    )


def _marked(rows: tuple[SensitivityRow, ...]) -> tuple[SensitivityRow, ...]:
    """The one that gives the answer says so: the dynamic model where it was asked for and holds."""
    latent = any(row.key == "dsem" and isinstance(row.forward, Estimate) for row in rows)
    answering = "dsem" if latent else "net"
    return tuple(replace(row, label=f"{row.label} (answer)") if row.key == answering else row for row in rows)


def _first(rows: tuple[SensitivityRow, ...]) -> SensitivityRow:
    return next((row for row in rows if isinstance(row.forward, Estimate)), rows[0])


def _with_distances(rows: tuple[SensitivityRow, ...]) -> tuple[SensitivityRow, ...]:
    """Each beside the first that answers, which is the same in both directions."""
    first = _first(rows)
    return tuple(
        row
        if row is first
        else replace(row, apart_forward=distance(first, row, "forward"), apart_reverse=distance(first, row, "reverse"))
        for row in rows
    )


def _row(method: Method, basis: MainModels) -> SensitivityRow:
    try:
        found = method.run(basis)
    except (ModelError, DesignError) as error:
        none = NotAnswered(method.label, sentence(error.what), error.remedy)
        found = Estimates(none, none, None, None, None, None)
    known_now = {name: told for name in ("effects", "trend") if (told := getattr(found, name))}
    return SensitivityRow(
        key=method.key,
        label=method.label,
        assumes=replace(method.assumes(basis.setting), **known_now),
        forward=found.forward,
        reverse=found.reverse,
        bias_forward=found.bias_forward,
        bias_reverse=found.bias_reverse,
        persons=found.persons,
        sessions=found.sessions,
        said=found.said,
    )
