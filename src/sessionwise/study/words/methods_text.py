"""The methods section: paragraphs ready to edit, with what was done to these data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..numbers import listed, number, plural
from ..records import Direction, Heterogeneity, NotAnswered, Sensitivity

if TYPE_CHECKING:
    from ..setting import Setting

_TREND = {
    None: "No trend over sessions was modelled.",
    "linear": "A linear trend over session numbers, the same for all {}s, was held constant.",
    "quadratic": "A quadratic trend over session numbers, the same for all {}s, was held constant.",
}


def methods_text(
    setting: Setting, forward: Direction | NotAnswered, compared: Sensitivity, version: str
) -> tuple[str, ...]:
    """Sample, models, sensitivity, software."""
    said = [_sample(setting)]
    if not isinstance(forward, NotAnswered):
        said += [_models(setting, forward), _sensitivity(setting, compared)]
    said.append(f"Analyses were done with sessionwise {version}. Tests are two-sided at the .05 level.")
    return tuple(said)


def _sample(setting: Setting) -> str:
    sample = setting.description.sample
    per = sample.per_person
    clusters = (
        f" of {plural(sample.clusters.number, setting.panel.roles.cluster or 'cluster')}" if sample.clusters else ""
    )
    spread = f" (median {per.median:g} a {setting.person}, range {per.min}–{per.max})" if per else ""
    return (
        f"The data are {plural(sample.sessions, 'session')} of "
        f"{plural(sample.persons, setting.person)}{clusters}{spread}, "
        f"with {setting.outcome} as the outcome and {setting.process} as the process."
    )


def _models(setting: Setting, forward: Direction) -> str:
    study, person = setting.study, setting.person
    before = "the session before" if study.lag == 1 else f"{study.lag} sessions before"
    levels = f"sessions within {person}s" + (f" within {setting.cluster}s" if setting.cluster else "")
    said = [
        f"Multilevel models of {levels} were fitted by restricted maximum likelihood (Bates et al., 2015), with the "
        "process "
        "predicting the outcome and, in mirror image, the outcome predicting the process. Predictors were the scores "
        "of "
        f"{before} as deviations from the {person}'s own mean, and that mean itself (Curran & Bauer, 2011); the "
        "response's "
        f"own value of {before} was held constant, as a deviation too (Falkenström et al., 2020).",
        _order(setting),
        _TREND[study.trend].format(person),
    ]
    if study.covariates:
        said.append(f"Covariates were {listed(list(study.covariates))}.")
    if isinstance(forward.heterogeneity, Heterogeneity):
        said.append(
            f"The effect within {person}s was random; its variance was tested by the likelihood ratio against the "
            "mixture of "
            "chi-squared distributions that holds at the boundary (Self & Liang, 1987; Stram & Lee, 1994)."
        )
    if study.moderators:
        said.append(f"Moderators ({listed(list(study.moderators))}) entered one at a time, in interaction with it.")
    said.append(
        "Degrees of freedom are Satterthwaite's (Kuznetsova et al., 2017). Lags go by session number, so that no lag "
        "crosses a skipped session."
    )
    return " ".join(said)


def _order(setting: Setting) -> str:
    outcome, process = setting.outcome, setting.process
    if setting.study.order == "together":
        return f"{outcome} and {process} were taken as rated at the same time."
    first, second = (outcome, process) if setting.study.order == "outcome first" else (process, outcome)
    return (
        f"In each session {first} was taken as rated before {second}, so {first} of the same session was held "
        "constant where "
        f"{second} was the response."
    )


def _sensitivity(setting: Setting, compared: Sensitivity) -> str:
    others = [
        row.label if row.label[:2].isupper() else row.label[:1].lower() + row.label[1:] for row in compared.rows[1:]
    ]
    return (
        f"Effects were compared over analyses ({'; '.join(others)}) in within-person standard deviations "
        f"({number(compared.sd_outcome)} for {setting.outcome}, {number(compared.sd_process)} for {setting.process}, "
        "the same "
        "in all). Since person means from few sessions bias lagged effects (Nickell, 1981), the bias expected in "
        "these numbers "
        "of sessions was computed from the autocovariances of a stationary first-order process whose expected "
        "estimates are "
        "those observed."
    )
