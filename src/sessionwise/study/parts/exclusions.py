"""Exclusions: persons who are in no model because their level above, or a covariate, is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...designs import design
from ...findings import Finding
from ...words import counted, percent
from ..records import NotAnswered
from .direction import FittedDirection

if TYPE_CHECKING:
    from ..study_data import StudyData
    from .equation import Equation

#: A larger share of the persons lost is worth a warning.
MOST_LOST = 0.05


def losses(setting: StudyData, forward: FittedDirection | NotAnswered) -> list[Finding]:
    """A warning for each column that costs many persons."""
    if isinstance(forward, NotAnswered):
        return []
    bare = replace(forward.equation, cluster=None, covariates=())
    kept = _persons(setting, bare)
    with_one = {setting.cluster: replace(bare, cluster=setting.cluster)} if setting.cluster else {}
    with_one |= {n: replace(bare, covariates=setting.covariate_terms(n)) for n in setting.study.covariates}
    found = (_lost(setting, name, equation, kept) for name, equation in with_one.items())
    return [one for one in found if one is not None]


def _lost(setting: StudyData, name: str, equation: Equation, kept: int) -> Finding | None:
    codes = setting.panel.cluster_codes if name == setting.cluster else setting.panel.labels(name).codes
    if codes is None or (codes >= 0).all():
        return None
    lost = kept - _persons(setting, equation)
    if lost <= MOST_LOST * kept:
        return None
    what = (
        f"{counted(lost, setting.person)} of {kept:,} ({percent(lost / kept)}) with usable scores are not in the "
        f"models, because {name} is missing."
    )
    remedy = f"Fill in {name}, or leave it out and compare: those without it may differ from the others."
    return Finding("warning", "persons-lost", what, where=f"column {name!r}", count=lost, remedy=remedy)


def _persons(setting: StudyData, equation: Equation) -> int:
    return len(design(setting.panel, equation.effect()).persons)
