"""The dynamic structural equation model beside the others; it gives the answer where it was asked for and holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..parts.dynamic import QUESTION
from ..records import Assumptions, NotAnswered
from .method import Estimates, MainModels, Method

if TYPE_CHECKING:
    from ..study_data import StudyData


def _dsem(basis: MainModels) -> Estimates:
    setting, found = basis.setting, basis.dynamic
    if found is None:
        found = NotAnswered(QUESTION, "It is left out.", "")
    if isinstance(found, NotAnswered):
        return Estimates(found, found, None, None, None, None)
    of = f"true scores (measurement error known of {found.error})" if found.error else "scores"
    own = f" and a course over sessions of each {setting.person}'s own" if found.lines else ""
    said = (
        f"A two-level dynamic structural equation model (Asparouhov et al., 2018) of {of} was estimated by Markov "
        f"chain Monte Carlo, with a course of any shape common to all{own}; levels and cross-lagged effects "
        f"differed between {setting.person}s and could go with the number of sessions. {found.verdict} Its "
        "posterior medians and intervals are the answer."
    )
    return Estimates(
        found.forward.times(setting.scale_forward),
        found.reverse.times(setting.scale_reverse),
        0.0,
        0.0,
        found.persons,
        found.sessions,
        said=said,
    )


def _assumes(setting: StudyData) -> Assumptions:
    person = setting.person
    return Assumptions(
        means=f"latent {person} means, free of the bias of few sessions",
        trend="a course of any shape, none where the study takes none out",
        levels=f"sessions in {person}s",
        residuals="innovations of both scores correlated, the first session's covariance its own",
        sample="all sessions; skipped ones are unobserved scores, missing at random",
        effects=f"differ between {person}s, and may go with their number of sessions",
        covariates="none",
    )


METHODS = (
    Method(
        "dsem",
        "Dynamic model (DSEM)",
        _dsem,
        _assumes,
        lambda s: s.study.dynamic is not False,
        (
            "Asparouhov, T., Hamaker, E. L., & Muthén, B. (2018). Dynamic structural equation models. Structural "
            "Equation Modeling, 25(3), 359–388. https://doi.org/10.1080/10705511.2017.1406803",
        ),
        judged=False,
    ),
)
